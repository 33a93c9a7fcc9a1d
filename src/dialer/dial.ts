import { OvpnTimeoutError } from '../core/errors.ts';
import { abortError } from './abortable.ts';
import { TunSocket } from './tun-socket.ts';
import type { TunUdpSocket } from './tun-udp-socket.ts';
import type { TunnelScope } from './tunnel-scope.ts';

export interface DialOptions {
  /** Gives up with `OVPN_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take, look-up included. Default: as long as DNS and TCP try. Unit: milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** A socket that is connecting. */
type Connecting = TunSocket | TunUdpSocket;

/**
 * Waits until `socket` is connected, and closes it when that fails or takes too long.
 *
 * @throws OvpnError `OVPN_ABORTED`; OvpnTimeoutError `OVPN_DIAL_TIMEOUT`; the socket's own error
 */
export function dialled<T extends Connecting>(
  socket: T,
  target: string,
  { clock }: TunnelScope,
  { signal, timeoutMs }: DialOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
    };
    const onConnect = () => {
      settle();
      resolve(socket);
    };
    const onError = (error: Error) => {
      settle();
      discard(socket);
      reject(error);
    };
    const onAbort = () => onError(abortError(`dial of ${target}`, signal));
    const cancelTimer =
      timeoutMs === undefined
        ? () => {}
        : clock.setTimer(clock.now() + timeoutMs, () => onError(timedOut(target, timeoutMs)));
    socket.once('connect', onConnect);
    socket.once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

/** Whatever it still says is nobody's business. */
function discard(socket: Connecting): void {
  socket.on('error', () => {});
  if (socket instanceof TunSocket) socket.destroy();
  else void socket[Symbol.asyncDispose]();
}

function timedOut(target: string, timeoutMs: number): OvpnTimeoutError {
  return new OvpnTimeoutError(
    'OVPN_DIAL_TIMEOUT',
    `expected a connection to ${target} within ${timeoutMs} ms`,
    { layer: 'dialer', phase: 'dial', timeoutMs, initiator: 'library' },
  );
}
