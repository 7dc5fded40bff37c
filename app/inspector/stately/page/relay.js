/**
 * Hands what the program tells to Stately's inspector, a frame of another origin, and to nobody
 * else: only after the person has pressed the button, only once that frame has answered, and
 * addressed to its origin, so that the browser drops it should the frame have gone elsewhere.
 */
const origin = 'https://stately.ai';
const address = `${origin}/inspect`;
/** Milliseconds. */
const patience = 8_000;

const show = document.getElementById('show');
const stop = document.getElementById('stop');
const state = document.getElementById('state');
const viewer = document.getElementById('viewer');

let frame = null;
let events = null;
let waiting = 0;
let sent = 0;

const say = (sentence) => {
  state.textContent = sentence;
};

function begin() {
  frame = document.createElement('iframe');
  frame.title = 'Stately’s inspector, hosted at stately.ai';
  // It may not lead this page elsewhere.
  frame.sandbox = 'allow-scripts allow-same-origin allow-popups allow-forms allow-downloads';
  frame.referrerPolicy = 'no-referrer';
  frame.src = address;
  viewer.replaceChildren(frame);
  show.hidden = true;
  stop.hidden = false;
  stop.focus();
  say('waiting for stately.ai; nothing was sent yet');
  waiting = setTimeout(() => {
    say(
      'stately.ai did not answer; vmux inspect and signer inspect show the same without the network',
    );
  }, patience);
}

function end(sentence) {
  clearTimeout(waiting);
  events?.close();
  events = null;
  frame = null;
  viewer.replaceChildren();
  stop.hidden = true;
  show.hidden = false;
  say(sentence);
}

/** From the beginning: a frame that was loaded again knows nothing. */
function forward() {
  clearTimeout(waiting);
  events?.close();
  sent = 0;
  say('stately.ai is there; nothing has happened yet that could be shown');
  events = new EventSource('events');
  events.addEventListener('message', ({ data }) => {
    frame.contentWindow.postMessage(JSON.parse(data), origin);
    sent += 1;
    say(`${sent} messages sent to stately.ai`);
  });
  events.addEventListener('error', () => {
    events?.close();
    say('the program in the terminal has ended; nothing more is sent');
  });
}

window.addEventListener('message', (event) => {
  if (frame === null || event.source !== frame.contentWindow || event.origin !== origin) return;
  if (event.data?.type === '@statelyai.connected') forward();
});

show.addEventListener('click', begin);
stop.addEventListener('click', () => {
  end('stopped; nothing more is sent');
  show.focus();
});
