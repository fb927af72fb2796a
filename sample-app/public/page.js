// Text from outside reaches the page through textContent only, never as HTML.

const find = (selector, root = document) => root.querySelector(selector);

const instantiate = (template) => find(`template#${template}`).content.firstElementChild.cloneNode(true);

function element(name, properties, ...children) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...children);
  return created;
}

// ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Shows what `work` returns, or why it failed; until then `button` cannot be pressed again. */
async function show(output, button, work) {
  button.disabled = true;
  try {
    output.textContent = await work();
    output.classList.remove('bad');
  } catch (error) {
    output.textContent = error.message;
    output.classList.add('bad');
  } finally {
    button.disabled = false;
  }
}

function addLink({ slug, url, shortUrl }) {
  const item = instantiate('link');
  find('.short', item).textContent = shortUrl.replace(/^https?:\/\//, '');
  find('.target', item).textContent = url;
  find('.follow', item).href = shortUrl;

  const output = find('output', item);
  const stats = find('.stats', item);
  stats.addEventListener('click', () =>
    show(output, stats, async () => {
      const { clicks } = await ask('GET', `links/${slug}/stats`);
      return clicks === 1 ? '1 click' : `${clicks} clicks`;
    }),
  );
  const check = find('.check', item);
  check.addEventListener('click', () =>
    show(output, check, async () => {
      const { reachable, status } = await ask('POST', `links/${slug}/check`);
      return reachable ? `The target answers ${status}` : 'The target does not answer';
    }),
  );
  find('#links').prepend(item);
}

find('#shorten').addEventListener('submit', (event) => {
  event.preventDefault();
  const { url } = Object.fromEntries(new FormData(event.target));
  void show(find('#problem'), event.submitter, async () => {
    addLink(await ask('POST', 'links', { url }));
    return '';
  });
});

// ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

function time(at) {
  const created = element('time', {}, clock.format(new Date(at)));
  created.dateTime = at;
  return created;
}

function milliseconds(duration) {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)}\u00a0ms`;
}

function describeConsumers({ consumers, createdAt }) {
  if (consumers.length > 0) return consumers.map((name) => element('code', {}, name));
  return [createdAt ? 'no class: a handler asked the registry' : 'nobody yet'];
}

function describeEvent({ type, at, times, consumer, duration, error }, isNew) {
  const details = [
    duration !== undefined && `in ${milliseconds(duration)}`,
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

function addCard(name) {
  const card = Object.assign(instantiate('client'), { id: `client-${name}`, ariaLabel: name });
  find('h3', card).textContent = name;
  find('#clients').append(card);
  find('#overview').append(element('a', { id: `overview-${name}`, href: `#${card.id}`, className: 'state' }, name));
  return card;
}

/** What each card shows. */
const shown = new Map();

function showClient(client) {
  const { name, kind, state, createdAt, createDuration, lastError, events } = client;
  const previous = shown.get(name);
  if (JSON.stringify(client) === JSON.stringify(previous)) return;
  shown.set(name, client);

  const card = previous ? document.getElementById(`client-${name}`) : addCard(name);
  card.dataset.state = state;
  document.getElementById(`overview-${name}`).dataset.state = state;
  find('.state', card).textContent = state;
  find('.kind', card).textContent = kind;
  find('.built', card).replaceChildren(
    ...(createdAt ? [time(createdAt), ` in ${milliseconds(createDuration)}`] : ['not yet: nothing has used it']),
  );
  find('.consumers', card).replaceChildren(...describeConsumers(client));
  find('.error', card).replaceChildren(...(lastError ? [time(lastError.at), ` ${lastError.message}`] : ['none']));
  find('.error', card).classList.toggle('bad', lastError !== undefined);

  const isNew = ({ at }) => previous !== undefined && at > (previous.events.at(-1)?.at ?? '');
  find('.events', card).replaceChildren(...events.toReversed().map((event) => describeEvent(event, isNew(event))));
}

function showStream(state, text) {
  const stream = find('#stream');
  if (stream.dataset.state !== state) stream.textContent = text;
  stream.dataset.state = state;
}

const source = new EventSource('clients/events');
source.addEventListener('message', ({ data }) => {
  showStream('live', 'Live');
  JSON.parse(data).forEach(showClient);
});
source.addEventListener('error', () => {
  if (source.readyState === EventSource.CLOSED) showStream('lost', 'Lost: reload the page');
  else showStream('waiting', 'Reconnecting');
});
