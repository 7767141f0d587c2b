import { describeChoice } from '../../job-choice-rules.ts';

describeChoice('jobs promote', 'any');
