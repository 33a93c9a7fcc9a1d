import { describeModes } from './describe-modes.ts';
import { TEXT_MODES } from './hostile-modes.ts';

describeModes('a server whose texts are hostile', TEXT_MODES);
