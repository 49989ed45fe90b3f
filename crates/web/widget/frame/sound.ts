// A short soft tone, made here, so that no file is loaded for it.

let context: AudioContext | undefined;

/** Makes ready what plays the tone. Only to be called at a gesture in this frame: before one nothing may sound. */
export function wake(): void {
  if (context || !window.AudioContext || navigator.userActivation?.hasBeenActive === false) return;
  context = new AudioContext();
  void context.suspend();
}

/** Plays the tone, unless it sounds already or nothing was made ready. It sleeps again afterwards, and takes no power. */
export function chime(): void {
  const at = context;
  if (at?.state !== 'suspended') return;
  const tone = new OscillatorNode(at, { frequency: 660 });
  const volume = new GainNode(at, { gain: 0.07 });
  volume.gain.exponentialRampToValueAtTime(0.001, at.currentTime + 0.5);
  tone.connect(volume).connect(at.destination);
  tone.onended = () => at.suspend();
  tone.start();
  tone.stop(at.currentTime + 0.5);
  void at.resume();
}
