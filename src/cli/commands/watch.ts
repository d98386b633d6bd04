import type { Command } from '../command.ts';
import { runWatch } from '../run-watch.ts';

/** Shows what a watch sees, or runs a command whenever that changes. */
export const watch: Command = {
  usage: 'watch',
  summary: 'Run a command whenever a key, a service, nodes, checks or events change; without one print what is',
  detail:
    'The command gets the result as JSON on stdin and its index in CONSUL_INDEX: now, and then whenever it is another. One word is a\nline for the shell, several are a program and its arguments. Types: key (--key), keyprefix (--prefix), services, nodes,\nservice (--service, --tag, --passingonly), checks (--service or --state), event (--name).',
  example:
    'drover watch --type service --service web --passingonly ./configure.sh\ndrover watch --type event --name deploy',
  takesProgram: 'first-word',
  options: [
    { flags: '--type <type>', text: 'what is watched' },
    { flags: '--key <key>', text: 'the key' },
    { flags: '--prefix <prefix>', text: 'what keys begin with' },
    { flags: '--service <name>', text: 'the service' },
    { flags: '--tag <tag>', text: 'only instances with this tag' },
    { flags: '--passingonly [boolean]', text: 'only instances all of whose checks are passing' },
    { flags: '--state <state>', text: 'only checks of this state' },
    { flags: '--name <name>', text: 'only events of this name' },
    { flags: '--filter <expression>', text: 'only what the expression matches' },
    { flags: '--datacenter <name>', text: 'another region' },
    { flags: '--stale [boolean]', text: 'take an answer of any server' },
  ],
  async run({ options, rest, client, host, output }) {
    const { passingonly, stale, json: _json, httpAddr: _httpAddr, tokenFile: _tokenFile, ...given } = options;
    return runWatch({
      given: { ...given, passingonly: flagOf(passingonly), stale: flagOf(stale) },
      command: rest,
      shell: rest.length === 1,
      client,
      host,
      print: (value) => output.data(value, [JSON.stringify(value, null, 2)]),
      say: (text) => output.say(text),
    });
  },
};

/** `--stale`, `--stale=true`, `--stale=false`. */
function flagOf(given: unknown): boolean | undefined {
  return given === undefined ? undefined : given !== 'false';
}
