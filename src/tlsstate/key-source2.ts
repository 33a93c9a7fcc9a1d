import { EMPTY } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import type { PrfSecrets } from '../model/data-channel-key.ts';
import type { Role } from '../model/ids.ts';
import type { SessionIds } from '../model/tls-chunk.ts';

export const PREMASTER_BYTES = 48;
export const KEY_RANDOM_BYTES = 32;

/** The random material that one side sends in its key method 2 message (ssl_common.h `key_source`). */
export interface KeySource {
  /** 48 bytes of the client; empty for the server. */
  readonly premaster: Buffer;
  /** 32 bytes each */
  readonly random1: Buffer;
  readonly random2: Buffer;
}

/** Fresh material of `sender`. It is drawn even where `tls-ekm` will not need it. */
export function makeKeySource(sender: Role, random: RandomSource): KeySource {
  return {
    premaster: sender === 'client' ? random.bytes(PREMASTER_BYTES) : EMPTY,
    random1: random.bytes(KEY_RANDOM_BYTES),
    random2: random.bytes(KEY_RANDOM_BYTES),
  };
}

/** Overwrites the material; it cannot be used afterwards. */
export function wipeKeySource({ premaster, random1, random2 }: KeySource): void {
  premaster.fill(0);
  random1.fill(0);
  random2.fill(0);
}

/** Both sides' material for the legacy derivation. The receiver owns, and overwrites, the sources. */
export function prfSecrets(
  client: KeySource,
  server: KeySource,
  ids: SessionIds,
  role: Role,
): PrfSecrets {
  const [clientId, serverId] =
    role === 'client' ? [ids.local, ids.remote] : [ids.remote, ids.local];
  return {
    premaster: client.premaster,
    clientRandom1: client.random1,
    clientRandom2: client.random2,
    serverRandom1: server.random1,
    serverRandom2: server.random2,
    clientSessionId: Buffer.from(clientId),
    serverSessionId: Buffer.from(serverId),
  };
}
