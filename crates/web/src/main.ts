// Starts the desk.
import { mount } from 'svelte';
import App from './App.svelte';
import { choose, setLanguage } from './core/i18n.svelte';
import { apply } from './core/prefs.svelte';
import { start } from './core/router.svelte';
import './ui/tokens.css';
import './ui/base.css';

apply();
start();
// Words first: nothing is shown that would change its language a moment later.
await setLanguage(choose(null, navigator.languages));
mount(App, { target: document.getElementById('app')! });
