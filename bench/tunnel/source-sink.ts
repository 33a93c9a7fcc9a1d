// A web server on the kernel's sockets that costs as little as it can: `GET /N` gives N zero bytes,
// `PUT` takes any.
//   node source-sink.js PORT
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const CHUNK = Buffer.alloc(256 * 1024);

function send(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { 'content-length': bytes });
  let left = bytes;
  const fill = () => {
    let hasRoom = true;
    while (left > 0 && hasRoom) {
      hasRoom = response.write(left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left));
      left -= CHUNK.length;
    }
    if (left <= 0) response.end();
    else response.once('drain', fill);
  };
  fill();
}

function take(request: IncomingMessage, response: ServerResponse): void {
  request.resume().once('end', () => response.end());
}

const server = createServer((request, response) => {
  if (request.method === 'PUT') take(request, response);
  else send(response, Number(request.url?.slice(1)));
});
server.listen(Number(process.argv[2]), '::', () => console.log('listening'));
