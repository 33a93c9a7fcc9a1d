/** Which end of the tunnel this is. The server role is `VpnServer` and the tests' other end. */
export type Role = 'client' | 'server';

/** Eight random bytes, never all zero, fixed for a session by its hard reset. */
export type SessionId = Buffer & { readonly __brand: 'SessionId' };

export const SESSION_ID_BYTES = 8;

/** `bytes` as a session id: a copy of eight bytes. */
export function sessionIdOf(bytes: Uint8Array): SessionId {
  return Buffer.from(bytes) as SessionId;
}

/** Stands in a packet of ours until `packetmuxer` fills in the session's: all zero, never sent. */
export const NO_SESSION_ID: SessionId = sessionIdOf(Buffer.alloc(SESSION_ID_BYTES));

/** The peer id that means "none" on the wire. */
export const PEER_ID_UNDEFINED = 0xff_ffff;

/** Highest key id; renegotiations count 1 … 7, 1 … 7. */
export const MAX_KEY_ID = 7;

/** 0 → 1 → … → 7 → 1: key id 0 never returns within a session. */
export function nextKeyId(keyId: number): number {
  return keyId >= MAX_KEY_ID ? 1 : keyId + 1;
}
