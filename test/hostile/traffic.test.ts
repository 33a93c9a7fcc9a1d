import { describeModes } from './describe-modes.ts';
import { TRAFFIC_MODES } from './hostile-modes.ts';

describeModes('a server whose packets are hostile', TRAFFIC_MODES);
