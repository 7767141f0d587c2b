import { getTimes, type SunTimeName } from 'suncalc';

/** The solar events of Celery, and what suncalc calls them: the sun at −18°, −12°, −6° and −0.833°, and at its highest. */
const NAMES = {
  dawn_astronomical: 'nightEnd',
  dawn_nautical: 'nauticalDawn',
  dawn_civil: 'dawn',
  sunrise: 'sunrise',
  solar_noon: 'solarNoon',
  sunset: 'sunset',
  dusk_civil: 'dusk',
  dusk_nautical: 'nauticalDusk',
  dusk_astronomical: 'night',
} as const satisfies Record<string, SunTimeName | 'solarNoon'>;

export type SunEvent = keyof typeof NAMES;

export const SUN_EVENTS = Object.keys(NAMES) as SunEvent[];

/** An event of the sun at a place, for `solar` of an entry. */
export interface SolarOptions {
  readonly event: SunEvent;
  /** Degrees, north positive. */
  readonly latitude: number;
  /** Degrees, east positive. */
  readonly longitude: number;
}

/** Celery's `solar`: `solar('sunset', 52.52, 13.405)`. Checked with the entry. */
export function solar(event: SunEvent, latitude: number, longitude: number): SolarOptions {
  return { event, latitude, longitude };
}

const DAY_MS = 86_400_000;
/** Every event that a place has comes within a year; one more for what is rare near the poles. */
const DAYS_SEARCHED = 2 * 366;

/**
 * The first time after an instant that the event happens, to the whole second; days without it, near the poles, are passed over.
 *
 * The times are right to a minute or two, in the sun's refraction mostly. They are rounded so that two machines whose arithmetic differs
 * in the last digit agree.
 *
 * @returns undefined if it does not happen within two years: sunrise at a pole
 */
export function nextSunEvent(place: SolarOptions, after: number): number | undefined {
  // Near the poles a sunset may fall into the next solar day, and a sunrise into the one before.
  for (let day = -1; day <= DAYS_SEARCHED; day += 1) {
    const at = eventOf(place, after + day * DAY_MS);
    if (at !== undefined && at > after) return at;
  }
  return undefined;
}

/** The last time before an instant; undefined if it did not happen within two years. */
export function previousSunEvent(place: SolarOptions, before: number): number | undefined {
  for (let day = 1; day >= -DAYS_SEARCHED; day -= 1) {
    const at = eventOf(place, before + day * DAY_MS);
    if (at !== undefined && at < before) return at;
  }
  return undefined;
}

/** The event on the solar day that an instant lies in. */
function eventOf({ event, latitude, longitude }: SolarOptions, at: number): number | undefined {
  const time = getTimes(new Date(at), latitude, longitude)[NAMES[event]]?.getTime();
  return time === undefined || Number.isNaN(time) ? undefined : Math.round(time / 1000) * 1000;
}
