/** What a check sees of the agent's environment: enough to find programs and to speak a language, none of its secrets. */
const INHERITED = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|HOSTNAME)$/;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment for script checks, from the agent's own. */
export function safeEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const inherited = Object.entries(own).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined && INHERITED.test(entry[0]);
  });
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(inherited) };
}
