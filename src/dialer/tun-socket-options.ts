import { OvpnUsageError } from '../core/errors.ts';
import { checkPort } from './dial-target.ts';

/** What may be chosen when a {@link TunSocket} is made. */
export interface TunSocketOptions {
  /** Whether the socket stays writable after the peer's end. Default: false, as `net.Socket`. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Sends small writes at once, without Nagle's wait. Default: false. */
  readonly noDelay?: boolean | undefined;
  /** Asks a silent peer whether it still lives. Default: false. */
  readonly keepAlive?: boolean | undefined;
  /** Silence before that. Unit: milliseconds. Default: 7,200,000. */
  readonly keepAliveInitialDelay?: number | undefined;
  /** How much is read ahead and buffered for writing. Unit: bytes. Default: 65,536. */
  readonly highWaterMark?: number | undefined;
  /** Destroys the socket with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/** Where to connect to. */
export interface TunConnectOptions extends TunSocketOptions {
  /** An address or a name, which is resolved inside the tunnel. Default: `localhost`. */
  readonly host?: string | undefined;
  readonly port: number;
  /** Families to try; 0 is both. Default: 0. */
  readonly family?: 0 | 4 | 6 | undefined;
  /** Whether more than one address of a name is tried (happy eyeballs). Default: true. */
  readonly autoSelectFamily?: boolean | undefined;
  /**
   * How long an address is tried before the next one beside it. Unit: milliseconds. Range: from 10
   * (less counts as 10). Default: 250.
   */
  readonly autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Which of our addresses to use. Default: the one that fits. */
  readonly localAddress?: string | undefined;
  /** Default: a free one, drawn at random. */
  readonly localPort?: number | undefined;
}

export type ConnectListener = () => void;

/** The call forms of `net.connect` as one. @throws OvpnUsageError for a path or a wrong port */
export function connectArguments(...[target, ...rest]: readonly unknown[]): {
  options: TunConnectOptions;
  listener: ConnectListener | undefined;
} {
  const listener = rest.find((argument) => typeof argument === 'function');
  const options = isConnectOptions(target)
    ? target
    : { port: portNumber(target), host: rest.find((argument) => typeof argument === 'string') };
  checkPort(portNumber(options.port));
  return {
    options: { ...options, port: portNumber(options.port) },
    listener: listener as ConnectListener | undefined,
  };
}

function isConnectOptions(target: unknown): target is TunConnectOptions {
  if (typeof target !== 'object' || target === null) return false;
  if ('port' in target) return true;
  throw new OvpnUsageError('expected `port`: there are no local paths in a tunnel', 'dialer');
}

/** `net.connect` takes numeric strings as ports too. */
function portNumber(port: unknown): number {
  return typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : (port as number);
}
