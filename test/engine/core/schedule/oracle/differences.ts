/**
 * The rows of celery-crontab.json on which Celery and we differ, by reason; README.md says why. A row is named by its time zone, its
 * start and its crontab.
 */
export const differences: Readonly<Record<string, readonly string[]>> = {
  'the hour that is repeated': [
    'Europe/Berlin 2026-10-25T00:50:00Z {}',
    'America/New_York 2026-11-01T05:50:00Z {}',
    'Australia/Lord_Howe 2026-04-04T14:50:00Z {}',
    'Europe/Berlin 2026-10-25T00:50:00Z {"minute":"*/5"}',
    'America/New_York 2026-11-01T05:50:00Z {"minute":"*/5"}',
    'Australia/Lord_Howe 2026-04-04T14:50:00Z {"minute":"*/5"}',
    'Europe/Berlin 2026-10-25T00:50:00Z {"minute":"*/7"}',
    'America/New_York 2026-11-01T05:50:00Z {"minute":"*/7"}',
    'Australia/Lord_Howe 2026-04-04T14:50:00Z {"minute":"*/7"}',
    'Europe/Berlin 2026-10-25T00:50:00Z {"minute":"50-10/5"}',
    'America/New_York 2026-11-01T05:50:00Z {"minute":"50-10/5"}',
    'Australia/Lord_Howe 2026-04-04T14:50:00Z {"minute":"50-10/5"}',
    'Europe/Berlin 2026-10-24T19:00:00Z {"minute":"*/20","hour":"1-3"}',
    'America/New_York 2026-11-01T00:00:00Z {"minute":"*/20","hour":"1-3"}',
    'Australia/Lord_Howe 2026-04-04T09:00:00Z {"minute":"*/20","hour":"1-3"}',
    'Europe/Berlin 2026-10-24T19:00:00Z {"minute":0}',
    'Europe/Berlin 2026-10-25T00:50:00Z {"minute":0}',
    'America/New_York 2026-11-01T00:00:00Z {"minute":0}',
    'America/New_York 2026-11-01T05:50:00Z {"minute":0}',
    'Europe/Berlin 2026-10-24T19:00:00Z {"minute":30}',
    'Europe/Berlin 2026-10-25T00:50:00Z {"minute":30}',
    'America/New_York 2026-11-01T00:00:00Z {"minute":30}',
    'America/New_York 2026-11-01T05:50:00Z {"minute":30}',
    'Australia/Lord_Howe 2026-04-04T09:00:00Z {"minute":30}',
    'Australia/Lord_Howe 2026-04-04T14:50:00Z {"minute":30}',
    'Europe/Berlin 2026-10-24T19:00:00Z {"minute":"*/10","hour":2}',
  ],
  'the hour that is skipped': [
    'Europe/Berlin 2026-03-28T19:00:00Z {"minute":30}',
    'Europe/Berlin 2026-03-29T00:50:00Z {"minute":30}',
    'America/New_York 2026-03-08T01:00:00Z {"minute":30}',
    'America/New_York 2026-03-08T06:50:00Z {"minute":30}',
  ],
  'the month that Celery loses': [
    'America/New_York 2026-03-08T01:00:00Z {"minute":0,"hour":0,"dayOfMonth":"2-30/2"}',
    'America/New_York 2026-03-08T01:00:00Z {"minute":0,"hour":0,"dayOfWeek":"sun","dayOfMonth":"*/7"}',
  ],
};
