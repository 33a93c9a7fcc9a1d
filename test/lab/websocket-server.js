// A WebSocket server on the kernel's sockets that sends back what it gets.
//   node websocket-server.js PORT
import { WebSocketServer } from 'ws';

const [port = '8082'] = process.argv.slice(2);
const server = new WebSocketServer({ port: Number(port) }, () => console.log('listening'));
server.on('connection', (socket) => {
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
});
