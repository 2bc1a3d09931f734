// The figures and texts of the status page, made from snapshots of the cluster (the JSON of
// /api/v1/status). Nothing here knows of the page, a clock or the network.

export const BRIDGED_MS = 5000;  // a longer time between two snapshots is a gap
const KEPT_MS = 15 * 60000;
const AVERAGED_MS = 10000;       // rates and quantiles are of so long: single seconds hold too few
const SAME_CHANGE_MS = 500;

const HISTOGRAMS = ['request', 'commit', 'log_write'];
const COUNTERS = {
  writes: 'writes_applied_total',
  requests: 'requests_total',
  failed: 'requests_failed_total',
};

// What happened between two snapshots, summed over the members: counts, durations, and the time
// that passed. Null if none did. A member counts only if both snapshots have it and it did not
// restart.
export function difference(before, after) {
  const milliseconds = after.time_ms - before.time_ms;
  if (!(milliseconds > 0)) return null;
  const result = emptyDifference();
  result.milliseconds = milliseconds;
  const earlier = new Map(before.members.map((member) => [member.id, member.status]));
  for (const { id, status } of after.members) {
    const old = earlier.get(id);
    if (status && old && !hasRestarted(old, status)) addMember(result, old, status);
  }
  return result;
}

// The sum of differences that follow each other.
export function sum(differences) {
  const result = emptyDifference();
  for (const one of differences) {
    result.milliseconds += one.milliseconds;
    for (const name of Object.keys(COUNTERS)) result[name] += one[name];
    for (const name of HISTOGRAMS) addHistogram(result[name], one[name].bounds, one[name].counts);
  }
  return result;
}

function emptyDifference() {
  const result = { milliseconds: 0 };
  for (const name of Object.keys(COUNTERS)) result[name] = 0;
  for (const name of HISTOGRAMS) result[name] = { bounds: [], counts: [] };
  return result;
}

// Counters only grow while a process lives.
function hasRestarted(old, status) {
  return Object.values(COUNTERS).some((name) => status[name] < old[name]) ||
    HISTOGRAMS.some((name) => histogramDifference(old, status, name).some((count) => count < 0));
}

function histogramDifference(old, status, name) {
  const before = old[`${name}_durations`].counts;
  return status[`${name}_durations`].counts.map((count, i) => count - (before[i] ?? 0));
}

function addMember(result, old, status) {
  for (const [name, counter] of Object.entries(COUNTERS)) {
    result[name] += status[counter] - old[counter];
  }
  for (const name of HISTOGRAMS) {
    const bounds = status[`${name}_durations`].bounds_seconds;
    addHistogram(result[name], bounds, histogramDifference(old, status, name));
  }
}

// Members of another version may have other bounds; what cannot be added is left out.
function addHistogram(result, bounds, counts) {
  if (bounds.length === 0) return;
  if (result.bounds.length === 0) {
    result.bounds = bounds;
    result.counts = counts.map(() => 0);
  }
  if (!result.bounds.every((bound, i) => bound === bounds[i])) return;
  result.counts = result.counts.map((count, i) => count + counts[i]);
}

export function perSecond(count, milliseconds) {
  return milliseconds > 0 ? count * 1000 / milliseconds : null;
}

// The duration in seconds that the part `q` of all does not exceed, on the assumption that those of
// a bucket lie evenly in it. Null without any. What lies beyond the last bound is taken for it.
export function quantile({ bounds, counts }, q) {
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < bounds.length; ++i) {
    if (counts[i] > 0 && below + counts[i] >= rank) {
      const lower = i === 0 ? 0 : bounds[i - 1];
      return lower + (bounds[i] - lower) * (rank - below) / counts[i];
    }
    below += counts[i];
  }
  return bounds[bounds.length - 1];
}

// The points of all charts, each {x: time in ms, y: number or null}.
export class History {
  series = new Map();  // name -> points
  #times = [];
  #last = null;
  #differences = [];

  // Returns false for a snapshot that says nothing new.
  add(snapshot) {
    if (this.#last?.time_ms === snapshot.time_ms) return false;
    if (this.#last?.time_ms > snapshot.time_ms) this.#forget();  // the clock was set back
    if (this.#last) this.#addDifference(difference(this.#last, snapshot));
    this.#last = snapshot;
    this.#times.push(snapshot.time_ms);
    for (const [name, y] of pointsOf(snapshot, sum(this.#differences))) {
      this.#pointsOf(name).push({ x: snapshot.time_ms, y });
    }
    this.#trim(snapshot.time_ms - KEPT_MS);
    return true;
  }

  latest(name) {
    const point = this.series.get(name)?.at(-1);
    return point && point.x === this.#times.at(-1) ? point.y : null;
  }

  #forget() {
    this.series.clear();
    this.#times = [];
    this.#differences = [];
    this.#last = null;
  }

  #addDifference(one) {
    // What came over a gap is of the time before it, too.
    if (one.milliseconds > BRIDGED_MS) this.#differences = [];
    this.#differences.push(one);
    while (sum(this.#differences.slice(1)).milliseconds >= AVERAGED_MS) this.#differences.shift();
  }

  #pointsOf(name) {
    if (!this.series.has(name)) this.series.set(name, []);
    return this.series.get(name);
  }

  #trim(oldest) {
    while (this.#times[0] < oldest) this.#times.shift();
    for (const [name, points] of this.series) {
      while (points.length > 0 && points[0].x < oldest) points.shift();
      if (points.length === 0) this.series.delete(name);
    }
  }
}

function pointsOf(snapshot, recent) {
  const points = snapshot.members.map(({ id, lag }) => [`lag ${id}`, lag ? lag.seconds : null]);
  for (const name of ['writes', 'requests', 'failed']) {
    points.push([name, perSecond(recent[name], recent.milliseconds)]);
  }
  for (const name of ['commit', 'request', 'log_write']) {
    points.push([`${name} p50`, quantile(recent[name], 0.5)]);
    points.push([`${name} p99`, quantile(recent[name], 0.99)]);
  }
  return points;
}

// The role changes of snapshots in an order that stays. The ages that other members tell waver by
// milliseconds, and changes of about the same time would swap their places every second.
export class ChangeOrder {
  #known = [];

  // The changes, newest first, each with the time at which it was, in ms, as first heard.
  take(snapshot) {
    this.#known = snapshot.role_changes.map((change) => {
      const { member, role, term, leader, reason } = change;
      const key = [member, role, term, leader, reason].join(' ');
      const told = snapshot.time_ms - change.age_seconds * 1000;
      const old = this.#known.find(
        (one) => one.key === key && Math.abs(one.time_ms - told) < SAME_CHANGE_MS);
      return { ...change, key, time_ms: old ? old.time_ms : told };
    });
    return [...this.#known].sort((a, b) => b.time_ms - a.time_ms);
  }
}

export function nameOf(member) {
  return member.name || member.id;
}

export function nameOfId(snapshot, id) {
  const member = snapshot.members.find((one) => one.id === id);
  return member ? nameOf(member) : id;
}

export function headline(snapshot) {
  return snapshot.leader ? `${nameOfId(snapshot, snapshot.leader)} leads` : 'No leader';
}

export function title(snapshot) {
  return snapshot.leader ? `Pontoon: ${headline(snapshot)}` : 'Pontoon: no leader';
}

// A text that stays the same while only numbers in it change.
export function withoutNumbers(text) {
  return text.replace(/\d+([.,]\d+)*/g, '#');
}

const wholeNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function countText(count) {
  return wholeNumber.format(count);
}

export function plural(count, noun, nouns = `${noun}s`) {
  return `${countText(count)} ${count === 1 ? noun : nouns}`;
}

export function rateText(rate) {
  if (rate === null) return '–';
  return `${rate < 10 && !Number.isInteger(rate) ? rate.toFixed(1) : countText(rate)}/s`;
}

export function bytesText(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    ++unit;
  }
  return `${unit === 0 || value >= 100 ? countText(value) : value.toFixed(1)} ${units[unit]}`;
}

// A span of time with about three digits: 0.25 ms, 12.3 ms, 4.1 s, 3 min 20 s, 5 h 12 min, 3 d 4 h.
export function secondsText(seconds) {
  if (seconds === null) return '–';
  if (seconds === 0) return '0 s';
  if (seconds < 0.9995) return `${threeDigits(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${threeDigits(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return twoUnits(whole, 60, 'min', 1, 's');
  if (whole < 86400) return twoUnits(whole, 3600, 'h', 60, 'min');
  return twoUnits(whole, 86400, 'd', 3600, 'h');
}

// As secondsText, but without more than a tenth of a second.
export function lagText(seconds) {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : secondsText(seconds);
}

// As secondsText, in whole seconds.
export function ageText(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s ago` : `${secondsText(whole)} ago`;
}

function threeDigits(value) {
  if (value < 0.995) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function twoUnits(seconds, large, largeUnit, small, smallUnit) {
  const rest = Math.floor(seconds % large / small);
  const head = `${Math.floor(seconds / large)} ${largeUnit}`;
  return rest === 0 ? head : `${head} ${rest} ${smallUnit}`;
}
