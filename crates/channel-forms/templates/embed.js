// Tells the page around this form how high it is and how it goes, and takes what to fill in. Only the listed origins are
// spoken to; on a page of its own the form needs none of this.
(function () {
  'use strict';
  if (window.parent === window) return;
  var script = document.currentScript;
  var origins = (script.dataset.origins || '').split(' ').filter(Boolean);
  var key = 'switchboard-form-page';
  var found = location.ancestorOrigins && location.ancestorOrigins[0];
  try {
    // After the form was sent, the page before is our own: the origin around us is remembered from the first time.
    found = found || (document.referrer && new URL(document.referrer).origin !== location.origin ? new URL(document.referrer).origin : sessionStorage.getItem(key));
    if (origins.indexOf(found) < 0) return;
    sessionStorage.setItem(key, found);
  } catch (error) {
    if (origins.indexOf(found) < 0) return;
  }
  function say(type, value) {
    window.parent.postMessage({ sb: 1, type: type, value: value }, found);
  }
  function fill(values) {
    Object.keys(values).forEach(function (name) {
      var field = document.getElementById('f-' + name);
      // What the visitor has typed stays.
      if (field && field.value === '' && typeof values[name] === 'string') field.value = values[name];
    });
  }
  addEventListener('message', function (event) {
    if (event.source !== window.parent || event.origin !== found || !event.data || event.data.sb !== 1) return;
    if (event.data.type !== 'form:prefill' || typeof event.data.value !== 'string') return;
    try {
      var values = JSON.parse(event.data.value);
      if (values && typeof values === 'object') fill(values);
    } catch (error) {
      // What is no JSON fills in nothing.
    }
  });
  new ResizeObserver(function () {
    say('form:height', Math.ceil(document.body.getBoundingClientRect().height));
  }).observe(document.body);
  var state = document.querySelector('main').dataset.state;
  say(state === 'sent' ? 'form:sent' : state === 'form' ? 'form:ready' : 'form:error');
})();
