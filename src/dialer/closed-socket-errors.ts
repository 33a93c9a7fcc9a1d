/** Node's errors for a socket that its own user closed or ended too early: code and text as there. */
const MESSAGES = {
  EPIPE: 'This socket has been ended by the other party',
  ERR_SOCKET_CLOSED: 'Socket is closed',
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: 'Socket closed before the connection was established',
} as const;

/** Makes one of these errors. */
export function closedSocketError(code: keyof typeof MESSAGES): Error {
  return Object.assign(new Error(MESSAGES[code]), { code });
}
