// The chat's connections over plain HTTP, as the server keeps them: a long answer, or polls, and frames by request.
import { randomUUID } from 'node:crypto';

/** `enter` makes a client of `{send, cut, leave}` and gives what hears its frames. `streams` off is a proxy that keeps answers back. */
export function plainHttp(enter, { streams }) {
  const links = new Map();

  /** A connection that says things by `write`, and is ended by `cut`, or by `leave` after what was said. */
  function open(write, cut, leave) {
    const link = randomUUID();
    const { hear, gone } = enter({ send: (frame) => links.has(link) && write(frame), cut: () => end(link), leave: () => end(link, leave) });
    links.set(link, { hear, gone, cut, waiting: [], poll: null });
    return link;
  }

  function end(link, how) {
    const found = links.get(link);
    links.delete(link);
    found?.gone();
    (how ?? found?.cut)?.(found);
  }

  return (request, response) => {
    const way = request.url.split('/').at(-1);
    const named = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    let body = '';
    request.on('data', (bytes) => (body += bytes)).on('end', () => {
      if (way === 'stream') {
        if (!streams) return;
        const write = (frame) => response.write(`data: ${JSON.stringify(frame)}\n\n`);
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        const link = open(write, () => response.destroy(), () => response.end());
        response.on('close', () => end(link));
        write({ type: 'link', link });
        return links.get(link)?.hear(body);
      }
      const found = links.get(named);
      if ((named || way === 'frames') && !found) return response.writeHead(404).end();
      if (way === 'frames') {
        // A page that is left says so with nothing.
        if (body) found.hear(body);
        else end(named);
        return response.writeHead(204).end();
      }
      const answer = (one) => {
        if (!one?.poll || one.waiting.length === 0) return;
        one.poll.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(one.waiting.splice(0)));
        one.poll = null;
      };
      if (found) {
        found.poll = response;
        return answer(found);
      }
      const link = open(
        (frame) => (links.get(link).waiting.push(frame), answer(links.get(link))),
        () => response.destroy(),
        answer,
      );
      const one = links.get(link);
      one.waiting.push({ type: 'link', link });
      one.hear(body);
      one.poll = response;
      answer(one);
    });
  };
}
