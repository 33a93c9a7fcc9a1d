import { testHandshakes } from './handshake-loss.ts';

testHandshakes(0, { p50: 79, p90: 82 });
