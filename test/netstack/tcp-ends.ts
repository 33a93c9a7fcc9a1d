import { address, type NetstackPair } from '../sim/netstack-pair.ts';
import { StreamEnd } from '../sim/stream-end.ts';

/** A server on `port` whose connections each send `sendBytes`. */
export function serve(pair: NetstackPair, port: number, sendBytes = 0): StreamEnd[] {
  const ends: StreamEnd[] = [];
  pair.right.listenTcp({ port }, (connection) => {
    const end = new StreamEnd(sendBytes, 2).start(connection);
    ends.push(end);
    return end;
  });
  return ends;
}

/** A client of `to`, on the left, that sends `sendBytes`. */
export function connect(pair: NetstackPair, to: string, port: number, sendBytes = 0): StreamEnd {
  const end = new StreamEnd(sendBytes, 1);
  return end.start(pair.left.connectTcp(address(to), port, end));
}
