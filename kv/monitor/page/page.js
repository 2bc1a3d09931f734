// The status page: hears of the cluster from the node that serves it, and shows that. All texts go
// into the page as text, never as markup: names and reasons come from outside.

import {
  BRIDGED_MS, ChangeOrder, History, ageText, bytesText, countText, headline, lagText, nameOf,
  nameOfId, plural, rateText, secondsText, title, withoutNumbers,
} from '/figures.js';

const POLL_MS = 2000;
const SILENCE_MS_MAX = 4000;      // after which a stream is given up
const ANSWER_MS_MAX = 3000;
const REFUSED_STREAM_MS = 20000;  // before the next attempt after the node had too many watchers
const CHANGES_SHOWN_MAX = 20;
const COLOURS = 6;                // as many as page.css has
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [5, 2], [1, 2]];

const byId = (id) => document.getElementById(id);

// Leaves a text that is right as it is, so that a selection in it survives.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function makeSvg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function clockText(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString('en-GB');
}

// ------------------------------------------------------------------------------------------ Feed

// Brings snapshots: from the event stream, or by asking again and again while that cannot be had.
// Tells its state: "live", "polling" or "lost".
class Feed {
  #onSnapshot;
  #onState;
  #state = 'connecting';
  #stream = null;
  #streamWorked = false;
  #streamNotBefore = 0;
  #silence = 0;

  constructor({ onSnapshot, onState }) {
    this.#onSnapshot = onSnapshot;
    this.#onState = onState;
    this.#openStream();
  }

  #setState(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#onState(state);
  }

  #openStream() {
    this.#streamWorked = false;
    this.#stream = new EventSource('/api/v1/events');
    this.#stream.addEventListener('status', (event) => this.#onEvent(event));
    this.#stream.addEventListener('error', () => this.#onBrokenStream());
    this.#expectNews();
  }

  #expectNews() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#onBrokenStream(), SILENCE_MS_MAX);
  }

  #onEvent(event) {
    this.#streamWorked = true;
    this.#expectNews();
    const snapshot = JSON.parse(event.data);
    this.#setState('live');
    this.#onSnapshot(snapshot);
  }

  #onBrokenStream() {
    clearTimeout(this.#silence);
    this.#stream.close();
    if (!this.#streamWorked) this.#streamNotBefore = Date.now() + REFUSED_STREAM_MS;
    // Whether the node is lost, too, shows when it is asked.
    this.#poll();
  }

  async #poll() {
    try {
      const snapshot = await askForStatus();
      // The node is back, so its stream may be as well.
      if (this.#state === 'lost') this.#streamNotBefore = 0;
      this.#setState('polling');
      this.#onSnapshot(snapshot);
    } catch {
      this.#setState('lost');
    }
    setTimeout(() => this.#pollOrStream(), POLL_MS);
  }

  #pollOrStream() {
    if (Date.now() < this.#streamNotBefore) this.#poll();
    else this.#openStream();
  }
}

async function askForStatus() {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  const response = await fetch('/api/v1/status', { cache: 'no-store', signal });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

// ---------------------------------------------------------------------------------------- Charts

// One line each: name of the points, label, place in the palette.
const TRAFFIC = [['writes', 'writes', 0], ['requests', 'requests', 1], ['failed', 'failed', 2]];
const latencyLines = (name) => [[`${name} p50`, 'p50', 0], [`${name} p99`, 'p99', 1]];

const CHARTS = [
  { id: 'lag', title: 'Lag behind the leader', text: lagText, atLeast: 1, ticks: setSpanTicks,
    lines: lagLines },
  { id: 'traffic', title: 'Client traffic', text: rateText, atLeast: 10, lines: () => TRAFFIC },
  { id: 'commit', title: 'Commit latency', text: secondsText, scale: 'logarithmic',
    lines: () => latencyLines('commit') },
  { id: 'request', title: 'Request latency', text: secondsText, scale: 'logarithmic',
    lines: () => latencyLines('request') },
  { id: 'log-write', title: 'Log write latency', text: secondsText, scale: 'logarithmic',
    lines: () => latencyLines('log_write') },
];

// A member keeps its colour whoever leads.
function lagLines(snapshot) {
  return snapshot.members
    .map((member, place) => [`lag ${member.id}`, nameOf(member), place])
    .filter(([, , place]) => snapshot.members[place].lag !== null);
}

function cssColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// A chart with its heading, and a legend that has the present values.
class ChartCard {
  #description;
  #chart;
  #canvas = make('canvas', { role: 'img' });
  #legend = make('ul', { class: 'legend' });
  #places = new Map();  // name of the points -> place in the palette

  constructor(description) {
    this.#description = description;
    this.#canvas.id = `${description.id}-chart`;
    byId('charts').append(make('figure', { class: `card chart-${description.id}` },
      make('figcaption', {}, make('h3', {}, description.title), this.#legend),
      make('div', { class: 'canvas' }, this.#canvas)));
    // Without Chart.js the legends still have the present values.
    if (window.Chart) this.#chart = new window.Chart(this.#canvas, chartOptions(description));
    this.recolour();
  }

  draw(snapshot, history, minutes) {
    const lines = this.#description.lines(snapshot);
    const values = lines.map(([name]) => history.latest(name));
    this.#drawLegend(lines, values);
    this.#canvas.setAttribute('aria-label', this.#summary(lines, values));
    if (!this.#chart) return;
    this.#setLines(lines, history);
    this.#chart.options.scales.x.min = snapshot.time_ms - minutes * 60000;
    this.#chart.options.scales.x.max = snapshot.time_ms;
    this.#chart.update('none');
  }

  recolour() {
    if (!this.#chart) return;
    const { scales, plugins } = this.#chart.options;
    for (const scale of [scales.x, scales.y]) {
      scale.ticks.color = cssColour('--quiet');
      scale.grid.color = cssColour('--line');
    }
    Object.assign(plugins.tooltip, {
      backgroundColor: cssColour('--ink'), titleColor: cssColour('--surface'),
      bodyColor: cssColour('--surface'),
    });
    for (const line of this.#chart.data.datasets) this.#colour(line);
    this.#chart.update('none');
  }

  #colour(line) {
    line.borderColor = cssColour(`--series-${this.#places.get(line.name) % COLOURS}`);
    line.backgroundColor = line.borderColor;
  }

  // Lines that are no longer current stay as long as they have points: they tell what was.
  #setLines(lines, history) {
    const { datasets } = this.#chart.data;
    for (const [name, label, place] of lines) {
      let line = datasets.find((one) => one.name === name);
      if (!line) {
        line = { name, borderWidth: 2, pointRadius: 0, pointHitRadius: 8 };
        datasets.push(line);
      }
      line.label = label;
      line.borderDash = DASHES[place % DASHES.length];
      this.#places.set(name, place);
      this.#colour(line);
    }
    for (const line of datasets) line.data = history.series.get(line.name) ?? [];
    this.#chart.data.datasets = datasets.filter((line) => line.data.length > 0);
  }

  #drawLegend(lines, values) {
    const items = lines.map(([, label, place], i) => [label, place, this.#valueText(values[i])]);
    const key = items.map(([label, place]) => `${place} ${label}`).join('\n');
    if (this.#legend.dataset.key !== key) {
      this.#legend.dataset.key = key;
      this.#legend.replaceChildren(...items.map(([label, place]) => make('li', {},
        swatch(place), make('span', { class: 'name' }, label), make('b'))));
    }
    items.forEach(([, , value], i) => setText(this.#legend.children[i].lastChild, value));
  }

  #valueText(value) {
    return value === null ? '–' : this.#description.text(value);
  }

  #summary(lines, values) {
    const parts = lines.map(([, label], i) =>
      `${label} ${values[i] === null ? 'not known' : this.#description.text(values[i])}`);
    return `${this.#description.title}, now: ${parts.join(', ') || 'nothing to show'}`;
  }
}

function swatch(place) {
  return makeSvg('svg', { class: 'swatch', viewBox: '0 0 24 8', 'aria-hidden': 'true' },
    makeSvg('line', {
      class: `series-${place % COLOURS}`, x1: 0, y1: 4, x2: 24, y2: 4,
      'stroke-dasharray': DASHES[place % DASHES.length].join(' ') || 'none',
    }));
}

function chartOptions({ scale = 'linear', atLeast, text, ticks = () => {} }) {
  const y = scale === 'logarithmic' ?
    { type: scale, min: 0.00003, suggestedMax: 0.1, grid: {},
      ticks: { callback: powerOfTenText } } :
    { type: scale, min: 0, suggestedMax: atLeast, grid: {}, afterBuildTicks: ticks,
      ticks: { maxTicksLimit: 5, callback: (value) => text(value) } };
  return {
    type: 'line',
    data: { datasets: [] },
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      spanGaps: BRIDGED_MS,
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      font: { family: 'system-ui, sans-serif' },
      scales: {
        x: { type: 'linear', grid: { drawOnChartArea: false }, afterBuildTicks: setTimeTicks,
          ticks: { maxRotation: 0, callback: timeTickText } },
        y,
      },
      plugins: {
        legend: { display: false },
        tooltip: { animation: false, callbacks: {
          title: ([item]) => (item ? clockText(item.parsed.x) : ''),
          label: (item) => ` ${item.dataset.label} ${text(item.parsed.y)}`,
        } },
      },
    },
  };
}

// Null for all other values: a logarithmic axis would have too many labels.
function powerOfTenText(seconds) {
  const power = Math.round(Math.log10(seconds));
  if (Math.abs(seconds / 10 ** power - 1) > 0.001) return null;
  return power < 0 ? `${Number((1000 * 10 ** power).toPrecision(1))} ms` : `${10 ** power} s`;
}

// Called with the scale as `this`. Where all labels are full minutes they go without seconds.
function timeTickText(milliseconds) {
  const text = clockText(milliseconds);
  return this.max - this.min > 60000 ? text.replace(/:00$/, '') : text;
}

// At round times, a few in each window. None at the edges: a label that reaches beyond the chart
// would make it narrower.
function setTimeTicks(scale) {
  setTicks(scale, [15000, 60000, 300000], 6);
  const margin = (scale.max - scale.min) / 10;
  scale.ticks = scale.ticks.filter(
    ({ value }) => value > scale.min + margin && value < scale.max - margin);
}

// At round minutes, hours or days; below a minute Chart.js finds round numbers itself.
function setSpanTicks(scale) {
  if (scale.max < 60) return;
  setTicks(scale, [15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 864000], 5);
}

function setTicks(scale, steps, countMax) {
  const width = scale.max - scale.min;
  const step = steps.find((one) => width / one <= countMax) ?? width;
  scale.ticks = [];
  for (let x = Math.ceil(scale.min / step) * step; x <= scale.max; x += step) {
    scale.ticks.push({ value: x });
  }
}

// --------------------------------------------------------------------------------------- Members

// A table whose rows have keys, so that rows stay while their texts change.
class Rows {
  #body;
  #makeRow;
  #rows = new Map();

  constructor(body, makeRow) {
    this.#body = body;
    this.#makeRow = makeRow;
  }

  show(items, keyOf, fill) {
    const before = this.#rows;
    this.#rows = new Map();
    for (const item of items) {
      const row = before.get(keyOf(item)) ?? this.#makeRow();
      fill(row, item);
      this.#rows.set(keyOf(item), row);
    }
    const wanted = [...this.#rows.values()];
    const isSame = wanted.length === this.#body.children.length &&
      wanted.every((row, i) => row === this.#body.children[i]);
    if (!isSame) this.#body.replaceChildren(...wanted);
  }
}

// Cells of two lines: the figure, and less important details under it.
function cell(name, label, kind = '') {
  const isHead = name === 'member';
  return make(isHead ? 'th' : 'td', {
    role: isHead ? 'rowheader' : 'cell', class: `${name} ${kind}`, 'data-label': label,
    ...(isHead ? { scope: 'row' } : {}),
  }, make('span', { class: 'main' }), ' ', make('span', { class: 'detail' }));
}

function setCell(row, name, main, detail = '') {
  const [first, second] = row.querySelector(`.${name}`).children;
  setText(first, main);
  setText(second, detail);
}

function makeMemberRow() {
  return make('tr', { role: 'row' },
    cell('member', 'Member'), cell('role', 'Role'), cell('contact', 'Contact'),
    cell('lag', 'Lag', 'number'), cell('term', 'Term', 'number'),
    cell('commit', 'Commit index', 'number'), cell('revision', 'Revision', 'number'),
    cell('data', 'Data', 'number'));
}

const ROLE_SIGNS = { leader: '★', follower: '○', candidate: '◇', learner: '◌', unknown: '?' };

function roleText(role) {
  return `${ROLE_SIGNS[role] ?? ROLE_SIGNS.unknown} ${role}`;
}

function fillMemberRow(snapshot, row, member) {
  const { status } = member;
  const role = status?.role ?? (member.learner ? 'learner' : 'unknown');
  row.dataset.id = member.id;
  row.dataset.role = role;
  row.dataset.reachable = member.reachable;
  setCell(row, 'member', nameOf(member), memberDetail(snapshot, member));
  setCell(row, 'role', roleText(role));
  const contact = member.reachable ? '✓ reachable' : '✕ unreachable';
  setCell(row, 'contact', contact, contactDetail(member));
  setCell(row, 'lag', ...lagTexts(member));
  setCell(row, 'term', status ? countText(status.term) : '–');
  setCell(row, 'commit', ...indexTexts(status));
  setCell(row, 'revision', status ? countText(status.revision) : '–');
  setCell(row, 'data', ...sizeTexts(status));
}

function memberDetail(snapshot, member) {
  const id = member.name ? member.id : 'without a name';
  return member.id === snapshot.served_by ? `${id} · this page` : id;
}

function contactDetail({ reachable, error, lag }) {
  if (!reachable && error) return error;
  if (!lag) return '';
  if (lag.contact_age_seconds === null) return 'never heard by the leader';
  // While all is well this is a heartbeat interval, and no news.
  if (lag.contact_age_seconds < 1) return 'heard within 1 s';
  return `heard ${ageText(lag.contact_age_seconds)}`;
}

function lagTexts({ status, lag }) {
  if (!lag) return [status?.role === 'leader' ? 'leads' : '–'];
  const behind = `${plural(lag.entries, 'entry', 'entries')}, ${bytesText(lag.bytes)}`;
  return [lagText(lag.seconds), lag.gets_snapshot ? `${behind}, gets a snapshot` : behind];
}

function indexTexts(status) {
  if (!status) return ['–'];
  return [countText(status.commit_index), `applied ${countText(status.applied_index)}`];
}

function sizeTexts(status) {
  if (!status) return ['–'];
  return [bytesText(status.db_bytes), `log ${bytesText(status.log_bytes)}`];
}

// -------------------------------------------------------------------------------- Leader changes

function makeChangeRow() {
  return make('tr', { role: 'row' },
    cell('when', 'When'), cell('member', 'Member'), cell('became', 'Became'),
    cell('term', 'Term', 'number'), cell('reason', 'Why'));
}

function fillChangeRow(snapshot, row, change) {
  row.dataset.role = change.role;
  setCell(row, 'when', ageText((snapshot.time_ms - change.time_ms) / 1000),
    clockText(change.time_ms));
  setCell(row, 'member', nameOfId(snapshot, change.member));
  const follows = change.leader && change.leader !== change.member;
  setCell(row, 'became', roleText(change.role),
    follows ? `of ${nameOfId(snapshot, change.leader)}` : '');
  setCell(row, 'term', countText(change.term));
  setCell(row, 'reason', change.reason);
}

// ------------------------------------------------------------------------------------------ Page

const memberRows = new Rows(byId('member-rows'), makeMemberRow);
const changeRows = new Rows(byId('change-rows'), makeChangeRow);
const problemRows = new Rows(byId('problem-list'), () => make('li'));
const history = new History();
const changeOrder = new ChangeOrder();
const charts = CHARTS.map((description) => new ChartCard(description));

const view = {
  snapshot: null,  // the newest one
  held: null,      // the one that is shown while the page is paused
  connection: 'connecting',
  lostSince: 0,
  minutes: 5,
};

function showHeadline({ snapshot, connection }) {
  if (!snapshot) return;
  const isLost = connection === 'lost';
  document.title = isLost ? 'Pontoon: connection lost' : title(snapshot);
  setText(byId('headline'), isLost ? `${headline(snapshot)}, as far as known` : headline(snapshot));
  byId('headline').dataset.state = isLost ? 'lost' : snapshot.leader ? 'leader' : 'none';
  const reachable = snapshot.members.filter((member) => member.reachable).length;
  setText(byId('summary'), [
    `${reachable} of ${plural(snapshot.members.length, 'member')} reachable`,
    `term ${countText(snapshot.term)}`,
    `served by ${nameOfId(snapshot, snapshot.served_by)}`,
    `cluster ${snapshot.cluster_id}`,
  ].join(' · '));
  setText(byId('version'), `Pontoon ${snapshot.version}, etcd API ${snapshot.etcd_version}`);
}

const CONNECTION_TEXTS = {
  connecting: '… Connecting',
  live: '● Live',
  polling: '◐ Live, every 2 s',
  lost: '✕ Connection lost, retrying',
};

function showConnection({ connection, held }) {
  byId('connection').dataset.state = connection;
  const paused = held ? ', display paused' : '';
  setText(byId('connection'), CONNECTION_TEXTS[connection] + paused);
}

function problemsOf({ snapshot, connection, lostSince }) {
  const problems = snapshot ? [...snapshot.problems] : [];
  if (connection === 'lost') {
    const node = snapshot ? nameOfId(snapshot, snapshot.served_by) : 'this node';
    problems.unshift(`Connection to ${node} lost at ${clockText(lostSince)}, retrying. ` +
      'What is shown is from before; other nodes serve this page, too.');
  }
  return problems;
}

function showProblems(problems, isKnown) {
  const state = problems.length > 0 ? 'some' : isKnown ? 'none' : 'unknown';
  const texts = {
    some: `▲ ${plural(problems.length, 'problem')}`,
    none: '✓ No problems',
    unknown: 'Problems: not known yet',
  };
  byId('problems').dataset.state = state;
  setText(byId('problems-title'), texts[state]);
  byId('problem-list').hidden = problems.length === 0;
  problemRows.show(problems.map((text, place) => ({ text, place })), ({ place }) => place,
    (row, { text }) => setText(row, text));
  announce(problems);
}

function announce(problems) {
  const key = problems.map(withoutNumbers).join('\n');
  if (byId('announcement').dataset.key === key) return;
  const hadSome = Boolean(byId('announcement').dataset.key);
  byId('announcement').dataset.key = key;
  const calm = hadSome ? 'No problems any more' : '';
  setText(byId('announcement'), problems.length > 0 ? `Problems: ${problems.join('. ')}` : calm);
}

function showMembers(snapshot) {
  memberRows.show(snapshot.members, ({ id }) => id,
    (row, member) => fillMemberRow(snapshot, row, member));
}

function showChanges(snapshot) {
  const changes = changeOrder.take(snapshot).slice(0, CHANGES_SHOWN_MAX);
  byId('changes').hidden = changes.length === 0;
  byId('no-changes').hidden = changes.length > 0;
  changeRows.show(changes, (change) => changes.indexOf(change),
    (row, change) => fillChangeRow(snapshot, row, change));
}

function showCharts() {
  const snapshot = view.held ?? view.snapshot;
  if (!snapshot || document.hidden) return;
  for (const chart of charts) chart.draw(snapshot, history, view.minutes);
}

// Problems, the headline and the connection never pause: who looks away must not miss them.
function showUrgent() {
  showHeadline(view);
  showConnection(view);
  showProblems(problemsOf(view), view.snapshot !== null);
}

function showAll() {
  showUrgent();
  if (view.held || !view.snapshot) return;
  showMembers(view.snapshot);
  showChanges(view.snapshot);
  showCharts();
}

function onSnapshot(snapshot) {
  view.snapshot = snapshot;
  history.add(snapshot);
  showAll();
}

function onConnection(connection) {
  if (connection === 'lost') view.lostSince = Date.now();
  view.connection = connection;
  showUrgent();
}

function togglePause() {
  view.held = view.held ? null : view.snapshot;
  setText(byId('pause'), view.held ? 'Resume' : 'Pause');
  byId('held').hidden = !view.held;
  if (view.held) {
    setText(byId('held'), `Members, charts and changes are held as they were at ${
      clockText(view.held.time_ms)}. Problems are not.`);
  }
  showAll();
}

function chooseWindow(event) {
  view.minutes = Number(event.target.value);
  showCharts();
}

byId('pause').addEventListener('click', togglePause);
for (const radio of document.querySelectorAll('input[name=window]')) {
  // A reload keeps the choice of the form, in some browsers.
  if (radio.checked) view.minutes = Number(radio.value);
  radio.addEventListener('change', chooseWindow);
}
document.addEventListener('visibilitychange', showCharts);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.recolour();
});
new Feed({ onSnapshot, onState: onConnection });
