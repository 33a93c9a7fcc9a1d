import { Drop } from '../../src/core/machine.ts';
import type { SessionIds } from '../../src/model/tls-chunk.ts';
import type { GateVerdict, PeerGate } from '../../src/networkio/peer-gate.ts';

/**
 * A gate for tests: `hello X` is answered with `who? X`, `me X` is accepted as session X, and
 * `X …` belongs to session X.
 */
export class TestGate implements PeerGate {
  readonly asked: string[] = [];

  belongsTo(packet: Buffer, ids: SessionIds): boolean {
    return packet.toString().split(' ')[0] === ids.remote.toString();
  }

  onPacket(packet: Buffer, remote: string): GateVerdict {
    this.asked.push(remote);
    const [verb, name = ''] = packet.toString().split(' ');
    if (verb === 'hello') return { kind: 'reply', packet: Buffer.from(`who? ${name}`) };
    if (verb !== 'me') return { kind: 'drop', drop: Drop.MALFORMED };
    return { kind: 'accept', ids: { local: Buffer.from('server'), remote: Buffer.from(name) } };
  }
}
