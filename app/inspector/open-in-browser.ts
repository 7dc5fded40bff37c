import { spawn } from 'node:child_process';

/** Asks the desktop to open it. Where there is no desktop nothing happens. */
export function openInBrowser(address: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const opening = spawn(opener, [address], { detached: true, stdio: 'ignore' });
  opening.on('error', () => {});
  opening.unref();
}
