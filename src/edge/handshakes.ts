import type { Socket } from 'node:net';

const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

/** Connections of the `node` engine whose TLS handshake is under way: they count, and they are ended at a drain. */
export class Handshakes {
  readonly #sockets = new Map<string, Socket>();
  /** Called when the last one is over. */
  onEmpty: () => void = () => undefined;

  get size(): number {
    return this.#sockets.size;
  }

  add(socket: Socket): void {
    const peer = peerOf(socket);
    this.#sockets.set(peer, socket);
    socket.once('close', () => {
      if (this.#sockets.get(peer) !== socket) return;
      this.#sockets.delete(peer);
      if (this.#sockets.size === 0) this.onEmpty();
    });
  }

  /** @param secure the connection that came of it, an object of its own with the same peer */
  end(secure: Socket): void {
    this.#sockets.delete(peerOf(secure));
  }

  destroy(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}
