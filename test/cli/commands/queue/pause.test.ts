import { describeQueuePause } from '../../queue-pause-rules.ts';

describeQueuePause({ verb: 'pause', note: 'queue "low" was paused already' });
