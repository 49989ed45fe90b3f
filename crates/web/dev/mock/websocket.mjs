// As much of RFC 6455 as a played server needs: text frames both ways, close, and nothing else.
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Takes an upgrade; `hear` gets every text, `gone` the end. */
export function accept(request, socket, subprotocol, { hear, gone }) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`);
  let held = Buffer.alloc(0);
  let open = true;
  const end = () => {
    if (open) gone();
    open = false;
  };
  const frame = (opcode, payload) => {
    const length = payload.length < 126 ? Buffer.from([payload.length]) : payload.length < 65_536 ? Buffer.from([126, payload.length >> 8, payload.length & 255]) : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), Buffer.from([payload.length >>> 24, (payload.length >> 16) & 255, (payload.length >> 8) & 255, payload.length & 255])]);
    if (open && socket.writable) socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, payload]));
  };
  socket.on('data', (bytes) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= 2) {
      let length = held[1] & 127;
      let at = 2;
      if (length === 126) [length, at] = [held.length >= 4 ? held.readUInt16BE(2) : Infinity, 4];
      else if (length === 127) [length, at] = [held.length >= 10 ? Number(held.readBigUInt64BE(2)) : Infinity, 10];
      if (held.length < at + 4 + length) return;
      const mask = held.subarray(at, at + 4);
      const payload = Buffer.from(held.subarray(at + 4, at + 4 + length).map((byte, place) => byte ^ mask[place % 4]));
      const opcode = held[0] & 15;
      held = held.subarray(at + 4 + length);
      if (opcode === 1) hear(payload.toString('utf8'));
      else if (opcode === 8) {
        frame(8, payload.subarray(0, 2));
        end();
        socket.end();
      } else if (opcode === 9) frame(10, payload);
    }
  });
  // A browser that gives up before the connection stands says no more than that it has nothing to say.
  socket.on('end', () => {
    end();
    socket.end();
  });
  socket.on('close', end);
  socket.on('error', end);
  return {
    send: (value) => frame(1, Buffer.from(JSON.stringify(value))),
    cut: () => socket.destroy(),
    /** Ends it after everything that was said. */
    leave() {
      frame(8, Buffer.from([0x03, 0xe8]));
      end();
      socket.end();
    },
  };
}
