import type { Socket } from 'node:net';

/** What was seen of a socket, in order, one line each. */
export class EventLog {
  readonly lines: string[] = [];

  /** Notes the events of `socket`, with its state at that moment. */
  watch(socket: Socket): void {
    for (const event of ['connect', 'ready', 'end', 'finish', 'timeout', 'drain'] as const) {
      socket.on(event, () => this.lines.push(`${event} (${socket.readyState})`));
    }
    socket.on('lookup', (error, _ip, family) => this.lines.push(`lookup ${error} IPv${family}`));
    socket.on('connectionAttempt', (_ip, _port, family) =>
      this.lines.push(`connectionAttempt IPv${family}`),
    );
    socket.on('connectionAttemptFailed', (_ip, _port, family) =>
      this.lines.push(`connectionAttemptFailed IPv${family}`),
    );
    socket.on('error', (error) => this.lines.push(`error ${nameOf(error)}`));
    socket.on('close', (hadError) => this.lines.push(`close ${hadError} (${socket.readyState})`));
  }

  /** Reads `socket` by its `data` events; what comes in a row is one line. */
  read(socket: Socket): void {
    socket.on('data', (chunk) => {
      const last = this.lines.at(-1);
      if (last?.startsWith('data ')) this.lines[this.lines.length - 1] = `${last}${chunk}`;
      else this.lines.push(`data ${chunk}`);
    });
  }

  /** A callback that notes its name and what it is given. */
  callback(name: string): (error?: Error | null) => void {
    return (error) => this.lines.push(error ? `${name} ${nameOf(error)}` : name);
  }
}

function nameOf(error: Error): string {
  const { name, code, syscall } = error as NodeJS.ErrnoException;
  return [name, code, syscall].filter((part) => part !== undefined).join(' ');
}
