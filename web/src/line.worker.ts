// Owns the socket itself, on a thread of its own: messages are gathered here until the page asks for them, so that a
// busy fleet does not keep the page busy; terminal frames go through at once. Must not: choose the address or reconnect.
import { Gathered } from './gather.ts';
import type { FromLine, ToLine } from './line.ts';

const gathered = new Gathered();
let socket: WebSocket | null = null;
let asked = true;

const tell = (message: FromLine, hand: Transferable[] = []) => postMessage(message, { transfer: hand });

function give(): void {
  if (!asked || gathered.isEmpty) return;
  asked = false;
  tell({ tell: 'heard', heard: gathered.take() });
}

function open(url: string): void {
  const opened = new WebSocket(url);
  opened.binaryType = 'arraybuffer';
  opened.onopen = () => tell({ tell: 'open' });
  opened.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== 'string') return tell({ tell: 'frame', frame: data }, [data]);
    gathered.add(data);
    give();
  };
  opened.onclose = () => {
    if (socket === opened) socket = null;
    tell({ tell: 'closed' });
  };
  socket = opened;
}

onmessage = ({ data }: MessageEvent<ToLine>) => {
  switch (data.do) {
    case 'open':
      return open(data.url);
    case 'send':
      // Nothing is kept for later: a stale key press is worse than none.
      if (socket?.readyState === WebSocket.OPEN) socket.send(data.text);
      return;
    case 'more':
      asked = true;
      give();
  }
};
