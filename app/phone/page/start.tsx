/** A browser that is not paired: what this is, and how to pair it. */
import { useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { PairForm } from './pair-form.tsx';
import type { PageSnapshot } from './port.ts';

export function StartScreen({ snapshot }: { snapshot: PageSnapshot }) {
  const { abilities, wasUnpaired } = snapshot;
  const isOnlySafari = abilities.isAppleTouch && !abilities.isStandalone;
  const [isAnyway, setAnyway] = useState(false);
  return (
    <main class="start">
      <img class="start-icon" src="/icons/icon.svg" alt="" width="88" height="88" />
      <h1>Remote Signer</h1>
      <p class="lead">
        Your SSH logins, approved here: you see who asks and for what, and sign with a look or a
        touch. The keys do not leave this phone unsealed.
      </p>
      {wasUnpaired && (
        <p class="callout care" role="status">
          <Icon name="warning" />
          <span>
            This browser was unpaired: it can approve nothing any more. Pair it again to go on.
          </span>
        </p>
      )}
      {!abilities.webAuthn && (
        <p class="callout care">
          <Icon name="warning" />
          <span>
            This browser has no passkeys (WebAuthn). It can show requests and deny them only.
          </span>
        </p>
      )}
      {isOnlySafari && !isAnyway ? (
        <HomeScreenSteps onAnyway={() => setAnyway(true)} />
      ) : (
        <PairForm abilities={abilities} />
      )}
    </main>
  );
}

/** What Safari stores is not what the app on the Home Screen has. */
const HomeScreenSteps = ({ onAnyway }: { onAnyway(): void }) => (
  <section class="steps" aria-labelledby="steps-title">
    <h2 id="steps-title">First, add it to the Home Screen</h2>
    <p>
      On an iPhone or iPad the app on the Home Screen has storage of its own. What is paired in
      Safari is not paired there, and Safari forgets it after a while. So pair inside the app:
    </p>
    <ol>
      <li>
        <span>
          Tap <strong>Share</strong> <Icon name="share" class="inline" /> in Safari
        </span>
      </li>
      <li>
        <span>
          Choose <strong>Add to Home Screen</strong>, then <strong>Add</strong>
        </span>
      </li>
      <li>
        <span>
          Open <strong>Remote Signer</strong> from the Home Screen
        </span>
      </li>
      <li>
        <span>Type the code there that signer shows in its terminal</span>
      </li>
    </ol>
    <button type="button" class="button plain" onClick={() => onAnyway()}>
      Pair this browser anyway
    </button>
  </section>
);
