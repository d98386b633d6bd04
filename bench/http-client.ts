import http from 'node:http';

/** Requests to one server on connections that are kept, as Consul's clients send them. */
export class HttpClient implements Disposable {
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Resolves as soon as the answer's status is there. @throws an Error with the answer when it is not 200
   */
  put(path: string, body?: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const request = http.request({
        port: this.#port,
        host: '127.0.0.1',
        method: 'PUT',
        path,
        headers,
        agent: this.#agent,
      });
      request.once('error', reject);
      request.once('response', (response) => {
        if (response.statusCode === 200) {
          response.resume();
          return resolve();
        }
        let said = '';
        response.setEncoding('utf8').on('data', (data: string) => (said += data));
        response.once('end', () => reject(new Error(`PUT ${path}: ${response.statusCode} ${said}`)));
      });
      request.end(text);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
