/** What hands one message to every connection that joined a name: the client port, once it listens. */
export class Publisher {
  private port: { publish(topicId: string, message: string): void } | null = null;

  attach(port: { publish(topicId: string, message: string): void }): void {
    this.port = port;
  }

  publish(topicId: string, message: string): void {
    this.port?.publish(topicId, message);
  }
}
