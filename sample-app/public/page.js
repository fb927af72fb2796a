// Text from outside reaches the page through textContent only, never as HTML.

/** Milliseconds from one question to `/health` to the next, and until an answer counts as missing. */
const HEALTH_INTERVAL = 2_000;
const HEALTH_TIMEOUT = 3_000;
/** Milliseconds until a stream that the browser has given up is opened again. */
const REOPEN_DELAY = 2_000;

const find = (selector, root = document) => root.querySelector(selector);

const instantiate = (template) => find(`template#${template}`).content.firstElementChild.cloneNode(true);

function element(name, properties, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

/** Replaces the children only if they differ, so that a screen reader hears news once. */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

function time(at) {
  const created = element('time', {}, clock.format(new Date(at)));
  created.dateTime = at;
  return created;
}

function milliseconds(duration) {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)}\u00a0ms`;
}

// ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A problem that passes by itself, when what it waits for is back: the `server`, or a `client` of it. */
class Problem extends Error {
  constructor(message, waitsFor) {
    super(message);
    this.waitsFor = waitsFor;
  }
}

async function ask(method, path, { workspace, body } = {}) {
  const headers = {
    ...(workspace && { 'x-workspace': workspace }),
    ...(body && { 'content-type': 'application/json' }),
  };
  let response;
  let answer;
  try {
    response = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    answer = await response.json();
  } catch {
    throw new Problem('The server did not answer. Try again when it is back.', 'server');
  }
  if (response.ok) return answer;
  if (response.status === 429) throw new Problem('Too many requests. Wait a moment, then try again.');
  if (response.status === 503) throw new Problem(answer.message, 'client');
  if (response.status >= 500) throw new Problem('The server could not do this. A client is in trouble.', 'client');
  throw new Problem(answer.message);
}

/** Shows what `work` returns, or why it failed; until then `button` cannot be pressed again. */
async function show(output, button, work) {
  button.dataset.busy = '';
  enableButtons();
  try {
    output.textContent = await work();
    output.classList.remove('bad');
    delete output.dataset.waitsFor;
  } catch (error) {
    output.textContent = error.message;
    output.classList.add('bad');
    output.dataset.waitsFor = error.waitsFor ?? '';
  } finally {
    delete button.dataset.busy;
    enableButtons();
  }
}

/** Removes the messages about something that is over. */
function clearProblems(waitsFor) {
  for (const output of document.querySelectorAll(`[data-waits-for='${waitsFor}']`)) output.textContent = '';
}

function enableButtons() {
  const isGone = document.body.dataset.server === 'gone';
  for (const button of document.querySelectorAll('button')) {
    button.disabled = isGone || 'busy' in button.dataset;
    button.title = isGone ? 'The server is gone' : '';
  }
  setText(find('#shorten button'), isGone ? 'Server is gone' : 'Shorten');
  for (const link of document.querySelectorAll('a.button')) {
    if (isGone) link.removeAttribute('href');
    else link.href = link.dataset.href;
    link.ariaDisabled = String(isGone);
  }
}

function addLink({ slug, url, shortUrl }, workspace) {
  const item = instantiate('link');
  find('.short', item).textContent = shortUrl.replace(/^https?:\/\//, '');
  find('.target', item).textContent = workspace ? `${workspace}: ${url}` : url;
  find('.follow', item).dataset.href = shortUrl;

  const output = find('output', item);
  const stats = find('.stats', item);
  stats.addEventListener('click', () =>
    show(output, stats, async () => {
      const { clicks } = await ask('GET', `links/${slug}/stats`, { workspace });
      return clicks === 1 ? '1 click' : `${clicks} clicks`;
    }),
  );
  const check = find('.check', item);
  check.addEventListener('click', () =>
    show(output, check, async () => {
      const { reachable, status } = await ask('POST', `links/${slug}/check`, { workspace });
      return reachable ? `The target answers ${status}` : 'The target does not answer';
    }),
  );
  find('#links').prepend(item);
}

find('#shorten').addEventListener('submit', (event) => {
  event.preventDefault();
  const { url, workspace } = Object.fromEntries(new FormData(event.target));
  void show(find('#problem'), event.submitter, async () => {
    addLink(await ask('POST', 'links', { workspace, body: { url } }), workspace);
    return '';
  });
});

// ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the server has said last: of each client, and how each is. */
let clients = [];
let healths = {};

/**
 * What the colour says. Green only if it can be used now: open, connected if it has a connection, and well at the last
 * check. Without the server nothing is known.
 */
function judge({ state, connection, members = [] }, health) {
  if (document.body.dataset.server === 'gone') return 'unknown';
  if (state === 'idle') return 'unused';
  if (state !== 'open') return 'busy';
  if (connection === 'disconnected' || health?.status === 'down') return 'down';
  if (members.some((member) => member.connection === 'disconnected')) return 'down';
  if (connection === 'connecting' || health?.status !== 'up') return 'busy';
  return 'usable';
}

const CONNECTIONS = { connecting: 'connecting', connected: 'connected', disconnected: 'no connection' };

/** The same for the client of a workspace: only its connection is known. */
function judgeMember({ state, connection }) {
  return judge({ state, connection }, { status: 'up' });
}

function describeUse({ kind, state, consumers, members, createdAt }) {
  if (kind === 'keyed' && createdAt) {
    return [members?.length ? '' : 'No workspace is in use: its client is closed when nobody uses it for 10 s'];
  }
  if (consumers.length > 0)
    return ['for ', ...consumers.flatMap((name, index) => [index ? ', ' : '', element('code', {}, name)])];
  if (createdAt) return ['for a handler that asked for it'];
  return [state === 'idle' ? 'Nothing has used it, so it is not built' : ''];
}

function describeMember(member, isNew) {
  const { key, users, state, connection } = member;
  const isKnown = document.body.dataset.server !== 'gone';
  const use = users === 0 ? 'not in use' : users === 1 ? 'in use by 1' : `in use by ${users}`;
  const row = element(
    'li',
    { className: isNew ? 'new' : '' },
    element('code', {}, key),
    element('span', { className: 'state' }, isKnown ? state : `was ${state}`),
    element('span', {}, (isKnown && CONNECTIONS[connection]) || ''),
    element('span', { className: 'users' }, isKnown ? use : ''),
  );
  row.dataset.verdict = judgeMember(member);
  return row;
}

function describeEvent({ type, key, at, times, consumer, duration, error }, isNew) {
  const details = [
    key && `workspace ${key}`,
    duration !== undefined &&
      (type === 'connected' ? `after ${milliseconds(duration)}` : `in ${milliseconds(duration)}`),
    consumer && `for ${consumer}`,
    error,
    times > 1 && `(${times} times)`,
  ];
  const className = [isNew && 'new', error && 'bad'].filter(Boolean).join(' ');
  return element(
    'li',
    { className },
    time(at),
    element('b', {}, type),
    element('span', {}, details.filter(Boolean).join(' ')),
  );
}

/** Why the client cannot be used, as long as it cannot. An error that is over stands among the details. */
function describeProblem({ connection, connectedAt, lastError, members = [] }, health) {
  const lost = members.filter((member) => member.connection === 'disconnected').map(({ key }) => key);
  if (lost.length > 0) return `No connection: ${lost.join(', ')}. It is tried again until it is back.`;
  if (connection !== 'disconnected') return `It does not answer. (${health?.error ?? 'No reason is known.'})`;
  const isNew = lastError && !(lastError.at < connectedAt);
  return `No connection. It is tried again until it is back.${isNew ? ` (${lastError.message})` : ''}`;
}

function describeHealth(verdict, health) {
  if (verdict === 'usable') return 'healthy';
  return verdict === 'down' && health?.status === 'down' ? 'unhealthy' : '';
}

function addCard(name) {
  const card = Object.assign(instantiate('client'), { id: `client-${name}`, ariaLabel: name });
  find('h3', card).textContent = name;
  find('#clients').append(card);
  find('#overview').append(element('a', { id: `overview-${name}`, href: `#${card.id}`, className: 'state' }, name));
  return card;
}

/** What each card shows, so that only news is drawn, and what lies open stays open. */
const shown = new Map();

function showClient(client) {
  const { name, kind, state, createdAt, createDuration, connection, lastError, members = [], events } = client;
  const health = healths[name];
  const verdict = judge(client, health);
  const previous = shown.get(name);
  const now = JSON.stringify([client, verdict, health?.status, health?.error]);
  if (now === previous?.now) return;
  shown.set(name, { now, client, verdict });

  const card = document.getElementById(`client-${name}`) ?? addCard(name);
  card.dataset.verdict = verdict;
  document.getElementById(`overview-${name}`).dataset.verdict = verdict;
  const isKnown = verdict !== 'unknown';
  setText(find('.state', card), isKnown ? state : `was ${state}`);
  setText(find('.kind', card), kind);
  setText(find('.connection', card), (isKnown && CONNECTIONS[connection]) || '');
  setText(find('.health', card), describeHealth(verdict, health));
  find('.use', card).replaceChildren(...describeUse(client));
  setText(find('.error', card), verdict === 'down' ? describeProblem(client, health) : '');
  find('.built', card).replaceChildren(
    ...(createdAt ? [time(createdAt), ` in ${milliseconds(createDuration)}`] : ['not yet']),
  );
  find('.last-error', card).replaceChildren(...(lastError ? [time(lastError.at), ` ${lastError.message}`] : ['none']));

  const known = new Set(previous?.client.members?.map(({ key }) => key));
  const isNewMember = ({ key }) => previous !== undefined && !known.has(key);
  find('.members', card).replaceChildren(...members.map((member) => describeMember(member, isNewMember(member))));
  const isNew = ({ at }) => previous !== undefined && at > (previous.client.events.at(-1)?.at ?? '');
  find('.events', card).replaceChildren(...events.toReversed().map((event) => describeEvent(event, isNew(event))));
  if (previous?.verdict === 'down' && verdict === 'usable') clearProblems('client');
}

// ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────

let lastSeen;

/** `connecting`, `live` or `gone`. */
function showServer(state) {
  const previous = document.body.dataset.server;
  if (previous === state) return;
  document.body.dataset.server = state;
  setText(find('#server'), state === 'live' ? 'Live' : state === 'gone' ? 'Not connected' : 'Connecting');
  find('#absence').replaceChildren(
    ...(state === 'gone'
      ? [
          element('b', {}, 'The server is gone.'),
          lastSeen ? ` What you see is from ${clock.format(lastSeen)}.` : '',
          ' Reconnecting until it is back; buttons wait for it.',
        ]
      : []),
  );
  document.title = `${state === 'gone' ? 'Server gone · ' : ''}Link shortener · nestjs-clients`;
  if (state === 'gone') healths = {};
  enableButtons();
  if (state === 'live') {
    clearProblems('server');
    void askHealth();
  }
  clients.forEach(showClient);
}

function heardOfServer() {
  lastSeen = new Date();
  showServer('live');
}

let source;

function openStream() {
  source = new EventSource('clients/events');
  source.addEventListener('message', ({ data }) => {
    const before = JSON.stringify(clients.map(({ state, connection }) => [state, connection]));
    clients = JSON.parse(data);
    heardOfServer();
    clients.forEach(showClient);
    if (JSON.stringify(clients.map(({ state, connection }) => [state, connection])) !== before) void askHealth();
  });
  source.addEventListener('error', () => {
    showServer('gone');
    // The browser itself tries again after a connection that is lost, but not after an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(openStream, REOPEN_DELAY);
  });
}

let asking = false;
let askAgain = false;

/** A server that hangs keeps its stream open and says nothing: only a question shows that it is gone. */
async function askHealth() {
  if (source.readyState !== EventSource.OPEN) return;
  // The answer on its way may be older than what has happened meanwhile.
  askAgain = asking;
  if (asking) return;
  asking = true;
  try {
    const response = await fetch('health', { signal: AbortSignal.timeout(HEALTH_TIMEOUT), cache: 'no-store' });
    const { details } = await response.json();
    healths = details?.clients ?? {};
    if (source.readyState === EventSource.OPEN) heardOfServer();
  } catch {
    showServer('gone');
  } finally {
    asking = false;
  }
  clients.forEach(showClient);
  if (askAgain) await askHealth();
}

openStream();

function askIfSeen() {
  if (!document.hidden) void askHealth();
}
setInterval(askIfSeen, HEALTH_INTERVAL);
document.addEventListener('visibilitychange', askIfSeen);
