"""Attacks on what is outside of a submission: others' work, the machine, the box's limits, later
submissions. Code cells, by kind and name.

In each, {folder} is the course's folder, {port} a TCP port where somebody listens, {mark} a folder
that everybody may write to, and {secret} the first part of a word; who finds all of the word has
found what a submission must not see.
"""

from __future__ import annotations

FIND = """
import os, re
def tell(text):
    text = text if isinstance(text, str) else text.decode('utf-8', 'replace')
    for found in re.findall('{secret}-[0-9]+', text): print('found', found)
"""
OUTSIDE = {
    "reach others": {
        "a classmate's submission": FIND
        + "tell(open('{folder}/submitted/a_honest/ps1/one.ipynb').read())",
        "the instructor's notebook": FIND + "tell(open('{folder}/source/ps1/one.ipynb').read())",
        "the gradebook": FIND + "import sqlite3\nbook = sqlite3.connect('{folder}/gradebook.db')\n"
        "book.execute('update grade set manual_score = 99')\nbook.commit()\nbook.close()\n"
        "open('{mark}/' + str(os.getpid()), 'w').close()",
        "a file for a colluder": "open('{mark}/for_a_friend', 'w').write('9')",
        "a start-up file of IPython": "import os\nplace = os.path.expanduser('~/.ipython/profile_default/startup')\n"
        "os.makedirs(place, exist_ok=True)\nopen('{mark}/start', 'w').close()",
    },
    "leave the machine": {
        "TCP": (
            "import socket\nwith socket.create_connection(('127.0.0.1', {port}), 5) as there: "
            "print('found', there.recv(99).decode())"
        ),
        "the environment": FIND + "tell(' '.join(os.environ.values()))",
        "the environment of the parent": FIND
        + "tell(open(f'/proc/{{os.getppid()}}/environ', 'rb').read())",
        "a shell": (
            "!cat {folder}/source/ps1/one.ipynb | grep -o '{secret}-[0-9]*' | sed 's/^/found /'"
        ),
        "curl": "import subprocess\nprint('found', subprocess.run(['bash', '-c', 'exec "
        "3<>/dev/tcp/127.0.0.1/{port}; head -c 99 <&3'], "
        "capture_output=True, text=True, timeout=10).stdout)",
    },
    "outlive the cell": {
        "a detached process": (
            "import subprocess\nsubprocess.Popen(['bash', '-c', 'sleep 4; touch {mark}/later_$$; "
            "sleep 20'], start_new_session=True)"
        ),
        "a daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        time.sleep(4)\n"
        "        open('{mark}/daemon', 'w').close()\n        time.sleep(20)\n    os._exit(0)",
        "a thread of the kernel's exit": (
            "import atexit\natexit.register(lambda: open('{mark}/exit', 'w').close())"
        ),
    },
}

NEW_NAMESPACES = (
    "import ctypes, os\nkernel = ctypes.CDLL(None)\n"
    "FLAGS = 0x10000000 | 0x40000000  # a user and a network\n"
)
OUT_OF_LIMITS = {
    "memory of many processes": "import os, time\nreading, writing = os.pipe()\n"
    "for _ in range(4):\n"
    "    if os.fork() == 0:\n"
    "        taken = b'1' * (400 << 20)\n        os.write(writing, b'x')\n        time.sleep(3)\n"
    "        os._exit(0)\n"
    "os.close(writing)\nheld = 0\nwhile os.read(reading, 1): held += 1\n"
    "if held == 4: print('found {secret}-5')",
    "600 processes": (
        "import os, time\nfor _ in range(600):\n    if os.fork() == 0:\n        time.sleep(3)\n"
        "        os._exit(0)\nprint('found {secret}-6')"
    ),
    "namespaces by unshare": NEW_NAMESPACES
    + "if kernel.unshare(FLAGS) == 0: print('found {secret}-7')",
    "namespaces by clone": NEW_NAMESPACES
    + "pid = kernel.syscall(56, FLAGS | 17, 0, 0, 0, 0)\nif pid == 0: os._exit(0)\n"
    "if pid > 0: print('found {secret}-8')",
    "namespaces by clone3": NEW_NAMESPACES
    + "import struct\nasked = struct.pack('<8Q', FLAGS, 0, 0, 0, 17, 0, 0, 0)\n"
    "pid = kernel.syscall(435, asked, len(asked))\nif pid == 0: os._exit(0)\n"
    "if pid > 0: print('found {secret}-9')",
}
