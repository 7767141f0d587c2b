import { describeQueuePause } from '../../queue-pause-rules.ts';

describeQueuePause({ verb: 'resume', note: 'queue "high" was not paused' });
