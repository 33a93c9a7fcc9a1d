import { OvpnError } from '../core/errors.ts';

/** The caller gave up; `cause` is the reason it gave. */
export function abortError(what: string, signal: AbortSignal | undefined): OvpnError {
  return new OvpnError('OVPN_ABORTED', `${what}: aborted`, {
    layer: 'dialer',
    initiator: 'user',
    cause: signal?.reason,
  });
}

/** `promise`, or `OVPN_ABORTED` as soon as the signal aborts. */
export function abortable<T>(
  promise: Promise<T>,
  what: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortError(what, signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
