/** The page: its screens, and the phone behind them. */
import { render } from 'preact';
import { App } from './app.tsx';
import { createPhone } from './core/phone.ts';
import { registerWorker } from './register-worker.ts';

registerWorker();
render(<App phone={createPhone()} />, document.body);
