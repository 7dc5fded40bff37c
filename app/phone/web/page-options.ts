/** The options of `signer start --web`. */
import { WrongUsage } from '../../trouble.ts';

/** Where the page is to be served; what is left out is chosen at the first start. */
export interface WantedPlace {
  /** Host name. */
  name?: string;
  port?: number;
  /** Paths of PEM files. */
  cert?: string;
  key?: string;
}

interface PageOptions {
  name?: string | undefined;
  'web-port'?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** What the command line wants of the page. @throws {WrongUsage} */
export function wantedPlace({ name, 'web-port': port, cert, key }: PageOptions): WantedPlace {
  if (port !== undefined && (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535)) {
    throw new WrongUsage('the port of the page is a number from 1 to 65535');
  }
  return {
    ...(name !== undefined && { name }),
    ...(port !== undefined && { port: Number(port) }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** @throws {WrongUsage} */
export function refusePageOptions({ name, 'web-port': port, cert, key }: PageOptions): null {
  if ([name, port, cert, key].some((option) => option !== undefined)) {
    throw new WrongUsage('--name, --web-port, --cert and --key are for --web');
  }
  return null;
}
