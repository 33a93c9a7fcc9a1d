// A web server on the kernel's sockets; see pages.js for what it answers.
//   node web-server.js PORT
import { createServer } from 'node:http';
import { answer } from './pages.js';

const [port = '8080'] = process.argv.slice(2);
createServer(answer).listen(Number(port), '::', () => console.log('{"event":"listening"}'));
