#!/usr/bin/env python3
"""chat.py GRETA MODEL: a conversation, a full context, Ctrl-C, the end of input; run's options that change what is written."""
import os
import pty
import select
import signal
import subprocess
import sys
import time

GRETA, MODEL = sys.argv[1:3]
checks = failed = 0
GREEDY = ['-m', MODEL, '-d', 'cpu', '--temp', '0']
ENDLESS = ['-m', MODEL, '-d', 'cpu', '--temp', '9', '--top-k', '0', '--top-p', '1', '--min-p', '0']


def check(ok, what):
    global checks, failed
    checks += 1
    if not ok:
        failed += 1
        print('failed:', what)


def run(*args, text=None):
    done = subprocess.run([GRETA, *args], input=text, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check_conversation():
    code, first, err = run('chat', *GREEDY, '-n', '30', text=b'hello\n')
    check(code == 0 and first.strip() and not err, f'one message: {code} {first!r} {err!r}')
    code, both, err = run('chat', *GREEDY, '-n', '30', text=b'hello\ntell me a story\n')
    check(code == 0 and both.startswith(first) and len(both) > len(first) and not err, f'two messages: {both!r} {err!r}')
    # keys and values of the first exchange are kept; evaluating all of it at once must give the same answer
    check(run('chat', *GREEDY, '-n', '30', '--chunk', '1', text=b'hello\ntell me a story\n')[1] == both, 'the same in chunks of 1')
    code, out, err = run('chat', *GREEDY, '-n', '30', text=b'hello\n/reset\nhello\n/nonsense\n\n/exit\nhello\n')
    check(code == 0 and out == first * 2 and 'nonsense' in err, f'/reset and /exit: {out!r} {err!r}')
    for name in ('chatml', 'llama2', 'llama3', 'mistral', 'zephyr'):
        code, out, err = run('chat', *GREEDY, '-n', '5', '--chat-template', name, text=b'hello\nhello again\n')
        check(code == 0 and not err, f'template {name}: {code} {err!r}')
    code, out, err = run('chat', *GREEDY, '-n', '5', '--system', 'Be kind.', text=b'hello\n')
    check(code == 0 and not err, f'a system message: {code} {err!r}')
    code, out, err = run('chat', *GREEDY, '-n', '5', '--chat-template', 'mistral', '--system', 'Be kind.', text=b'hello\n')
    check(code == 1 and err.count('\n') == 1 and 'mistral' in err, f'a template that knows no system message: {code} {err!r}')
    code, out, err = run('chat', *GREEDY, '--chat-template', 'none', text=b'hello\n')
    check(code == 2 and err.count('\n') == 1 and '"none"' in err and 'zephyr' in err, f'an unknown template: {code} {err!r}')


def check_full():
    text = b'tell me a story about a fox\n' * 6
    code, out, err = run('chat', *GREEDY, '--ctx', '100', '-n', '20', text=text)
    check(code == 0 and 'context of 100 tokens is full' in err and 'forgotten' in err and out.count('\n') >= 6, f'exchanges are forgotten: {err!r}')
    code, out, err = run('chat', *ENDLESS, '--ctx', '50', '--seed', '1', text=b'hello\n')
    check(code == 0 and 'context of 50 tokens is full: the answer is cut' in err, f'an answer is cut: {err!r}')
    code, out, err = run('chat', *GREEDY, '--ctx', '50', '-n', '5', text=b'hello ' * 60 + b'\nhello\n')
    check(code == 0 and 'does not fit' in err and out.strip(), f'a message too long, and the chat goes on: {err!r}')


def read_until(fd, words, seconds=10):
    text, end = b'', time.monotonic() + seconds
    while time.monotonic() < end and not any(w in text for w in words):
        if select.select([fd], [], [], 0.1)[0]:
            try:
                text += os.read(fd, 4096)
            except OSError:
                break
    return text


def interrupt_once():
    """Ctrl-C on a terminal while an answer is written: True where it came in time."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(GRETA, [GRETA, 'chat', *ENDLESS, '--ctx', '1024', '--system', 'x'])
    text = read_until(fd, [b'> '])
    os.write(fd, b'hello\n')
    text += read_until(fd, [b'\n'])  # the echo, then the answer's first bytes
    time.sleep(0.01)
    os.write(fd, b'\x03')
    text += read_until(fd, [b'\r\n> '])
    stopped = b'stopped' in text
    if not stopped:  # it came after the answer: the waiting chat says how to leave
        check(b'ends the chat' in text + read_until(fd, [b'ends the chat']), f'Ctrl-C at the prompt: {text!r}')
    os.write(fd, b'hello again\n')
    text = read_until(fd, [b'\n'])
    time.sleep(0.05)  # a terminal drops input that is not read yet when Ctrl-C comes
    os.write(fd, b'\x03')
    text += read_until(fd, [b'\r\n> '])
    os.write(fd, b'/exit\n')
    read_until(fd, [b'\x00'], 2)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            check(os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, f'/exit after Ctrl-C: status {status}')
            os.close(fd)
            return stopped
        time.sleep(0.05)
    check(False, f'the chat did not end: {text!r}')
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    return stopped


def check_run():
    sampled = ['run', '-m', MODEL, '-d', 'cpu', '-p', 'Once upon a time', '-n', '40']
    a, b, c = (run(*sampled, '--seed', s)[1] for s in ('7', '7', '8'))
    check(a == b and a != c, 'a seed gives the same bytes')
    check(run(*sampled)[1] != run(*sampled)[1], 'no seed gives others')
    plain = run('run', *GREEDY, '-p', 'Once upon a time', '-n', '60')[1]
    for option in (['--chunk', '2'], ['--threads', '1'], ['--ctx', '70']):
        check(run('run', *GREEDY, '-p', 'Once upon a time', '-n', '60', *option)[1] == plain, f'the same text with {option}')
    check(run('run', *GREEDY, '-', '-n', '60', text=b'Once upon a time')[1] == plain, 'the same text from standard input')
    check(run('run', *GREEDY, '-p', 'Once upon a time', '-n', '60', '--repeat-penalty', '2')[1] != plain, 'a penalty changes the text')
    code, out, err = run('run', *GREEDY, '-p', 'Once upon a time', '--ctx', '12')
    check(code == 0 and 'context of 12 tokens is full' in err, f'a full context: {err!r}')
    code, out, err = run('run', *GREEDY, '-p', 'Once upon a time', '-n', '5', '--stats')
    check(code == 0 and 'tokens/s' in err and 'tokens/s' not in out, f'stats: {err!r}')


check_conversation()
check_full()
check(any([interrupt_once() for _ in range(6)]), 'Ctrl-C stopped none of six answers')
check_run()
print(f'{checks} checks, {failed} failed')
sys.exit(1 if failed or not checks else 0)
