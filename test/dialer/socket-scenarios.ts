import type { Socket } from 'node:net';
import type { EventLog } from './event-log.ts';

export interface SocketChoices {
  readonly allowHalfOpen?: boolean;
  readonly pauseOnConnect?: boolean;
}

/** One side of a scenario: what it does with its socket. Its log watches the socket already. */
export type Part = (socket: Socket, log: EventLog, abort: AbortController) => void;

export interface Scenario {
  readonly name: string;
  /** Undefined: nobody listens. */
  readonly serve?: Part;
  readonly serverOptions?: SocketChoices;
  /** Called as soon as the socket is connecting. */
  readonly client: Part;
  readonly clientOptions?: SocketChoices;
  /** Whether the server's log is compared too, and its socket waited for. Default: true. */
  readonly compareServer?: boolean;
}

const nothing: Part = () => {};
const readAll: Part = (socket, log) => log.read(socket);

/** Reads, and then does `last` at the peer's end. */
function readThen(last: (socket: Socket, log: EventLog) => void): Part {
  return (socket, log) => {
    log.read(socket);
    socket.on('end', () => last(socket, log));
  };
}

/** Does `then` when `event` comes. */
function on(event: string, then: (socket: Socket, log: EventLog) => void): Part {
  return (socket, log) => {
    socket.on(event, () => then(socket, log));
  };
}

function both(...parts: Part[]): Part {
  return (...side) => {
    for (const part of parts) part(...side);
  };
}

const halfOpen: SocketChoices = { allowHalfOpen: true };
const TIMEOUT_MS = 40;
/** More than any buffers on the way hold. */
const LARGE = 32 << 20;

/** What two programs do with a pair of sockets; run on the host's sockets and on ours alike. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'the client ends first, the server echoes',
    serve: both(readAll, (socket) => socket.pipe(socket)),
    client: both(readAll, (socket, log) => socket.end('hello', log.callback('ended'))),
  },
  {
    name: 'the server ends first',
    serve: both(readAll, (socket, log) => socket.end('bye', log.callback('ended'))),
    client: readAll,
  },
  {
    name: 'the server ends first, nobody reads at the client',
    serve: both(readAll, (socket) => socket.end()),
    client: on('connect', (socket) => socket.resume()),
  },
  {
    name: 'both ends at once',
    serve: both(readAll, (socket) => socket.end('one')),
    client: both(readAll, (socket) => socket.end('two')),
  },
  {
    name: 'half-open: the client answers after the end of the server',
    serverOptions: halfOpen,
    serve: both(readAll, (socket) => socket.end('question')),
    clientOptions: halfOpen,
    client: readThen((socket, log) => {
      log.lines.push(`at the end ${socket.readyState}`);
      socket.end('answer');
    }),
  },
  {
    name: 'half-open: the server answers after the end of the client',
    serverOptions: halfOpen,
    serve: readThen((socket, log) => {
      log.lines.push(`at the end ${socket.readyState}`);
      socket.end('answer');
    }),
    clientOptions: halfOpen,
    client: both(readAll, (socket) => socket.end('question')),
  },
  { name: 'refused', client: readAll },
  {
    name: 'refused with something written',
    client: (socket, log) => {
      socket.write('x', log.callback('written'));
      socket.end(log.callback('ended'));
    },
  },
  {
    name: 'reset by the server',
    serve: (socket) => {
      setTimeout(() => socket.resetAndDestroy(), TIMEOUT_MS);
    },
    client: readAll,
  },
  {
    name: 'reset by the server after it has read',
    serve: both(
      readAll,
      on('data', (socket) => socket.resetAndDestroy()),
    ),
    client: both(readAll, (socket, log) => socket.write('x', log.callback('written'))),
  },
  {
    name: 'reset by the client',
    serve: readAll,
    client: on('connect', (socket) => socket.resetAndDestroy()),
  },
  {
    name: 'resetAndDestroy while it connects',
    serve: nothing,
    client: (socket) => socket.resetAndDestroy(),
    compareServer: false,
  },
  {
    name: 'resetAndDestroy twice',
    serve: readAll,
    client: on('connect', (socket) => socket.resetAndDestroy().resetAndDestroy()),
  },
  {
    name: 'resetAndDestroy after close',
    serve: both(readAll, (socket) => socket.end()),
    client: both(
      readAll,
      on('close', (socket) => socket.resetAndDestroy()),
    ),
  },
  {
    name: 'destroyed at once',
    serve: nothing,
    client: (socket) => socket.destroy(),
    compareServer: false,
  },
  {
    name: 'destroyed at once with something written',
    serve: nothing,
    client: (socket, log) => {
      socket.write('x', log.callback('first'));
      socket.write('y', log.callback('second'));
      socket.destroy();
    },
    compareServer: false,
  },
  {
    name: 'destroyed with an error while it connects',
    serve: nothing,
    client: (socket) => socket.destroy(new TypeError('mine')),
    compareServer: false,
  },
  {
    name: 'destroyed when connected',
    serve: readAll,
    client: on('connect', (socket) => socket.destroy()),
  },
  {
    name: 'destroyed with an error when connected',
    serve: readAll,
    client: on('connect', (socket) => socket.destroy(new TypeError('mine'))),
  },
  {
    name: 'destroyed at the first data',
    serve: both(readAll, (socket) => socket.write('x')),
    client: both(
      readAll,
      on('data', (socket) => socket.destroy()),
    ),
  },
  {
    name: 'destroyed after end()',
    serve: readAll,
    client: on('connect', (socket, log) => {
      socket.end('x', log.callback('ended'));
      socket.once('finish', () => socket.destroy());
    }),
  },
  {
    name: 'destroyed at the end of the peer',
    serve: both(readAll, (socket) => socket.end('x')),
    client: readThen((socket) => socket.destroy()),
  },
  {
    name: 'destroyed twice, and written to after that',
    serve: readAll,
    client: on('connect', (socket, log) => {
      socket.destroy().destroy();
      socket.write('x', log.callback('written'));
    }),
  },
  {
    name: 'destroySoon with something to write',
    serve: readAll,
    client: on('connect', (socket, log) => {
      socket.write('last', log.callback('written'));
      socket.destroySoon();
    }),
  },
  {
    name: 'destroySoon while it connects',
    serve: readAll,
    client: (socket) => {
      socket.write('last');
      socket.destroySoon();
    },
  },
  {
    name: 'write after end()',
    serve: readAll,
    client: on('connect', (socket, log) => {
      socket.end('x');
      socket.write('y', log.callback('written'));
    }),
  },
  {
    name: 'write after the end of the peer',
    serve: both(readAll, (socket) => socket.end('x')),
    client: both(
      readAll,
      on('end', (socket, log) => {
        setImmediate(() => socket.write('y', log.callback('written')));
      }),
    ),
  },
  {
    name: 'write in the end event of the peer',
    serve: both(readAll, (socket) => socket.end('x')),
    client: readThen((socket, log) => socket.write('y', log.callback('written'))),
  },
  {
    name: 'writes while it connects',
    serve: readAll,
    client: both(readAll, (socket, log) => {
      socket.write('a', log.callback('a'));
      socket.write('b', log.callback('b'));
      socket.end('c', log.callback('c'));
    }),
  },
  {
    name: 'corked writes',
    serve: readAll,
    client: both(
      readAll,
      on('connect', (socket, log) => {
        socket.cork();
        socket.write('a', log.callback('a'));
        socket.write('b', log.callback('b'));
        log.lines.push(`corked ${socket.writableCorked} ${socket.writableLength}`);
        socket.uncork();
        log.lines.push(`sent ${socket.bytesWritten}`);
        socket.end();
      }),
    ),
  },
  {
    name: 'times out while nothing comes',
    serve: readAll,
    client: on('ready', (socket) => {
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    }),
  },
  {
    name: 'no timeout once it is switched off',
    serve: both(readAll, (socket) => {
      setTimeout(() => socket.end(), 3 * TIMEOUT_MS);
    }),
    client: both(readAll, (socket, log) => {
      const told = log.callback('told');
      socket.setTimeout(TIMEOUT_MS, told);
      socket.setTimeout(0, told);
      log.lines.push(`listeners ${socket.listenerCount('timeout')} timeout ${socket.timeout}`);
    }),
  },
  {
    name: 'paused, then resumed',
    serve: both(readAll, (socket) => socket.end('x')),
    client: both(
      readAll,
      (socket) => socket.pause(),
      on('ready', (socket, log) => {
        setTimeout(() => {
          log.lines.push('resumed');
          socket.resume();
        }, TIMEOUT_MS);
      }),
    ),
  },
  {
    name: 'pauseOnConnect',
    serverOptions: { pauseOnConnect: true },
    serve: both(readAll, (socket, log) => {
      log.lines.push(`paused ${socket.isPaused()}`);
      setTimeout(() => {
        log.lines.push('resumed');
        socket.resume();
      }, TIMEOUT_MS);
    }),
    client: both(readAll, (socket) => socket.end('x')),
  },
  {
    name: 'read by readable and read()',
    serve: both(readAll, (socket) => socket.end('hello')),
    client: on('readable', (socket, log) => {
      log.lines.push(`read ${socket.read()}`);
    }),
  },
  {
    name: 'strings by setEncoding',
    serve: both(readAll, (socket) => socket.end('héllo')),
    client: both(readAll, (socket) => socket.setEncoding('latin1')),
  },
  {
    name: 'aborted while it connects',
    serve: nothing,
    client: (_socket, _log, abort) => abort.abort(),
    compareServer: false,
  },
  {
    name: 'aborted when connected',
    serve: readAll,
    client: (socket, _log, abort) => {
      socket.on('connect', () => abort.abort());
    },
  },
  {
    name: 'destroyed while a large write waits',
    serve: (socket) => socket.pause(),
    client: on('connect', (socket, log) => {
      socket.write(Buffer.alloc(LARGE), log.callback('first'));
      socket.write('x', log.callback('second'));
      setTimeout(() => socket.destroy(), TIMEOUT_MS);
    }),
    compareServer: false,
  },
  {
    name: 'a listener that was given to end, before it is connected',
    serve: readAll,
    client: both(readAll, (socket, log) => socket.end(log.callback('ended'))),
  },
  {
    name: 'data that nobody reads when the socket is destroyed',
    serve: both(readAll, (socket) => socket.write('x'.repeat(10))),
    client: on('connect', (socket) => {
      socket.pause();
      setTimeout(() => socket.destroy(), TIMEOUT_MS);
    }),
    compareServer: false,
  },
];
