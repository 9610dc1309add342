"""Trainings of the exercise `train`: right ones written in several ways, and wrong ones.

Every wrong one is the right one with a change of one or two lines: (old text, new text). It comes
with the graded cells that it loses and with words that the message must hold.
"""

from __future__ import annotations

PLAIN = """
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))
    W2 = rng.normal(0, np.sqrt(2 / hidden), (10, hidden))
    parameters = [W1, np.zeros(hidden), W2, np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    N, losses = len(labels), []
    for epoch in range(epochs):
        order = rng.permutation(N)
        total = 0.0
        for start in range(0, N, 32):
            batch = order[start : start + 32]
            X, c = images[:, batch], labels[batch]
            loss, gradients = loss_and_gradients(parameters, X, c)
            total += loss * len(batch)
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total / N)
    return tuple(parameters), losses
"""
SHUFFLED = """        order = rng.permutation(N)
"""
BEFORE_EPOCHS = """    for epoch in range(epochs):
        order = rng.permutation(N)
"""
BATCHES = """        for start in range(0, N, 32):
            batch = order[start : start + 32]
"""
STEP = """            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
"""
RETURN = "    return tuple(parameters), losses\n"

EVERY = START, STEPS, ORDER, LOSSES = (
    "train_start_tests",
    "train_tests",
    "train_order_tests",
    "train_losses_tests",
)

RIGHT: dict[str, list[tuple[str, str]]] = {
    "plain": [],
    "shuffled indices": [(SHUFFLED, "        order = np.arange(N)\n        rng.shuffle(order)\n")],
    "a choice without replacement": [("rng.permutation(N)", "rng.choice(N, N, replace=False)")],
    "sorted random numbers": [("rng.permutation(N)", "np.argsort(rng.random(N))")],
    "batches of nearly equal size": [
        (BATCHES, "        for batch in np.array_split(order, -(-N // 32)):\n")
    ],
    "a while loop": [
        (
            BATCHES,
            (
                "        rest = list(order)\n"
                "        while rest:\n"
                "            batch, rest = np.array(rest[:32]), rest[32:]\n"
            ),
        ),
    ],
    "layers drawn in the other order": [
        ("    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))\n", ""),
        (
            "(10, hidden))\n",
            "(10, hidden))\n    W1 = rng.normal(0, np.sqrt(2 / 64), (hidden, 64))\n",
        ),
    ],
    "standard normal numbers, scaled": [
        (
            "rng.normal(0, np.sqrt(2 / 64), (hidden, 64))",
            "rng.standard_normal((hidden, 64)) / np.sqrt(32)",
        ),
    ],
    "all orders drawn first": [
        ("    W1 = ", "    orders = [rng.permutation(N) for _ in range(epochs)]\n    W1 = "),
        ("    orders", "    N = len(labels)\n    orders"),
        ("order = rng.permutation(N)", "order = orders[epoch]"),
    ],
    "loss at the end of the epoch": [
        (
            "        losses.append(total / N)",
            "        losses.append(loss_and_gradients(parameters, images, labels)[0])",
        ),
    ],
    "loss on the way, after each step": [
        ("            total += loss * len(batch)\n", ""),
        (
            STEP,
            STEP + "            total += loss_and_gradients(parameters, X, c)[0] * len(batch)\n",
        ),
    ],
    "shuffled copies of the data": [
        (
            SHUFFLED,
            (
                "        order = np.arange(N)\n"
                "        drawn = rng.permutation(N)\n"
                "        images, labels = images[:, drawn], labels[drawn]\n"
            ),
        ),
    ],
    "float32": [
        ("images[:, batch]", "images[:, batch].astype(np.float32)"),
        (
            RETURN,
            (
                "    return [w.astype(np.float32) for w in parameters], np.array(losses, "
                "dtype=np.float32)\n"
            ),
        ),
    ],
    "averages that start as numbers": [
        ("[np.zeros(w.shape) for w in parameters]", "[0.0] * 4"),
        ("averages[n], lr", "averages[n] + 0 * parameters[n], lr"),
    ],
    "biases as columns": [
        (
            RETURN,
            "    return [w.reshape(len(w), -1) for w in parameters], np.array(losses)[:, None]\n",
        )
    ],
}

WRONG: dict[str, tuple[list[tuple[str, str]], dict[str, str]]] = {
    "zeros": (
        [("rng.normal(0, np.sqrt(2 / 64), (hidden, 64))", "np.zeros((hidden, 64))")],
        {START: "start equal"},
    ),
    "variance": ([("np.sqrt(2 / 64)", "2 / 64")], {START: "square root"}),
    "not scaled": ([("0, np.sqrt(2 / 64)", "0, 1")], {START: "do not scale"}),
    "no factor 2": ([("np.sqrt(2 / 64)", "np.sqrt(1 / 64)")], {START: "factor 2"}),
    "second layer scaled by 64": ([("np.sqrt(2 / hidden)", "np.sqrt(2 / 64)")], {START: "W2"}),
    "scaled by the outputs": (
        [
            ("np.sqrt(2 / 64)", "np.sqrt(2 / hidden)"),
            ("np.sqrt(2 / hidden), (10", "np.sqrt(2 / 10), (10"),
        ],
        {START: "outputs"},
    ),
    "Glorot": ([("np.sqrt(2 / 64)", "np.sqrt(2 / (64 + hidden))")], {START: "inputs alone"}),
    "small": ([("np.sqrt(2 / 64)", "0.01")], {START: "standard deviation 0.0"}),
    "uniform": (
        [
            (
                "rng.normal(0, np.sqrt(2 / 64), (hidden, 64))",
                "rng.uniform(-1, 1, (hidden, 64)) * np.sqrt(6 / 64)",
            ),
        ],
        {START: "normally"},
    ),
    "second layer uniform": (
        [
            (
                "rng.normal(0, np.sqrt(2 / hidden), (10, hidden))",
                "rng.uniform(-1, 1, (10, hidden)) * np.sqrt(6 / hidden)",
            ),
        ],
        {START: "W2 are right, but its entries are not normally"},
    ),
    "positive": (
        [
            (
                "rng.normal(0, np.sqrt(2 / 64), (hidden, 64))",
                "abs(rng.normal(0, np.sqrt(2 / 64), (hidden, 64)))",
            ),
        ],
        {START: "mean"},
    ),
    "ones in a bias": ([("np.zeros(hidden)", "np.ones(hidden)")], {START: "b1 is not 0"}),
    "random biases": ([("np.zeros(10)", "rng.normal(size=10)")], {START: "b2 is not 0"}),
    "own seed": (
        [("    W1 = ", "    rng = np.random.default_rng(0)\n    W1 = ")],
        {START: "differently seeded", ORDER: "differently seeded"},
    ),
    "global weights": ([("W1 = rng.normal", "W1 = np.random.normal")], {START: "equally seeded"}),
    "global order": ([("rng.permutation", "np.random.permutation")], {ORDER: "equally seeded"}),
    "own seed for the order": (
        [("rng.permutation(N)", "np.random.default_rng(epoch).permutation(N)")],
        {ORDER: "differently seeded"},
    ),
    "last batch dropped": ([("range(0, N, 32)", "range(0, N - 31, 32)")], {STEPS: "smaller batch"}),
    "last batch always dropped": (
        [("range(0, N, 32)", "range(0, N - 32, 32)")],
        {STEPS: "last batch", LOSSES: ""},
    ),
    "whole batch": (
        [("range(0, N, 32)", "[0]"), ("start + 32", "N")],
        {STEPS: "one step", ORDER: "single step"},
    ),
    "sample by sample": (
        [("range(0, N, 32)", "range(N)"), ("start + 32", "start + 1")],
        {STEPS: "every sample"},
    ),
    "batches of 16": (
        [("range(0, N, 32)", "range(0, N, 16)"), ("start + 32", "start + 16")],
        {STEPS: "5 steps"},
    ),
    "batches of 64": (
        [("range(0, N, 32)", "range(0, N, 64)"), ("start + 32", "start + 64")],
        {STEPS: "2 steps", ORDER: "single step"},
    ),
    "batches of 31": (
        [("range(0, N, 32)", "range(0, N, 31)"), ("start + 32", "start + 31")],
        {STEPS: "train"},
    ),
    "first 32 of each epoch": ([("range(0, N, 32)", "[0]")], {STEPS: "one step", LOSSES: ""}),
    "one random batch an epoch": (
        [("range(0, N, 32)", "[0]"), ("rng.permutation(N)", "rng.choice(N, 32)")],
        {STEPS: "step", ORDER: "not used"},
    ),
    "with replacement": ([("rng.permutation(N)", "rng.integers(0, N, N)")], {ORDER: "not used"}),
    "each batch drawn anew": (
        [("order[start : start + 32]", "rng.choice(N, min(32, N - start), replace=False)")],
        {ORDER: "not used"},
    ),
    "last batch filled up": (
        [("order[start : start + 32]", "order[max(0, min(start, N - 32)) :][:32]")],
        {ORDER: "twice"},
    ),
    "slices overlap": (
        [
            ("start + 32]", "start + 33]"),
            (
                "        losses.append(total / N)",
                "        losses.append(loss_and_gradients(parameters, images, labels)[0])",
            ),
        ],
        {ORDER: "twice"},
    ),
    "order from a generator of its own": (
        [("rng.permutation(N)", "np.random.default_rng().permutation(N)")],
        {ORDER: "equally seeded", LOSSES: "equally seeded"},
    ),
    "no shuffle": (
        [("rng.permutation(N)", "np.arange(N)")],
        {ORDER: "order in which they are given"},
    ),
    "shuffled once": (
        [(BEFORE_EPOCHS, "    order = rng.permutation(N)\n    for epoch in range(epochs):\n")],
        {ORDER: "same in every epoch"},
    ),
    "batches shuffled": (
        [
            ("range(0, N, 32)", "rng.permutation(np.arange(0, N, 32))"),
            ("order = rng.permutation(N)", "order = np.arange(N)"),
        ],
        {ORDER: "neighbours"},
    ),
    "batches shuffled, samples once": (
        [
            (BEFORE_EPOCHS, "    order = rng.permutation(N)\n    for epoch in range(epochs):\n"),
            ("range(0, N, 32)", "rng.permutation(np.arange(0, N, 32))"),
        ],
        {ORDER: "same in every epoch"},
    ),
    "labels left in order": (
        [("labels[batch]", "labels[start : start + 32]")],
        {ORDER: "labels of other"},
    ),
    "images left in order": (
        [("images[:, batch]", "images[:, start : start + 32]")],
        {ORDER: "labels of other"},
    ),
    "data shuffled through a view": (
        [(SHUFFLED, "        order = np.arange(N)\n        rng.shuffle(images.T)\n")],
        {ORDER: "come back changed"},
    ),
    "labels shuffled otherwise": (
        [("labels[batch]", "labels[rng.permutation(N)[: len(batch)]]")],
        {ORDER: "labels of other"},
    ),
    "data shuffled in place": (
        [
            (
                SHUFFLED,
                (
                    "        drawn, order = rng.permutation(N), np.arange(N)\n"
                    "        images[:], labels[:] = images[:, drawn], labels[drawn]\n"
                ),
            ),
        ],
        {ORDER: "come back changed"},
    ),
    "images scaled in place": (
        [("    N, losses", "    images /= 2\n    N, losses")],
        {ORDER: "come back changed", STEPS: ""},
    ),
    "averages anew each epoch": (
        [
            (
                "        total = 0.0\n",
                "        total = 0.0\n        averages = [np.zeros(w.shape) for w in parameters]\n",
            ),
        ],
        {STEPS: "every epoch"},
    ),
    "averages anew each batch": (
        [(STEP, "            averages = [np.zeros(w.shape) for w in parameters]\n" + STEP)],
        {STEPS: "every batch"},
    ),
    "averages not kept": (
        [("parameters[n], averages[n] = momentum_step", "parameters[n], _ = momentum_step")],
        {STEPS: "every batch"},
    ),
    "plain descent": (
        [
            (
                STEP,
                (
                    "            parameters = [w - lr * (g + wd * w) for w, g in zip(parameters, "
                    "gradients)]\n"
                ),
            ),
        ],
        {STEPS: "effect"},
    ),
    "no momentum": (
        [("lr, mu, wd)\n        losses", "lr, 0.0, wd)\n        losses")],
        {STEPS: "effect"},
    ),
    "no weight decay": (
        [("lr, mu, wd)\n        losses", "lr, mu, 0.0)\n        losses")],
        {STEPS: "effect"},
    ),
    "own learning rate": (
        [("lr, mu, wd)\n        losses", "0.1, mu, wd)\n        losses")],
        {STEPS: "lr has no effect"},
    ),
    "mu and lr exchanged": (
        [("lr, mu, wd)\n        losses", "mu, lr, wd)\n        losses")],
        {STEPS: ""},
    ),
    "weights decay alone": (
        [("lr, mu, wd)\n        losses", "lr, mu, wd * (n % 2 == 0))\n        losses")],
        {STEPS: "biases do not decay"},
    ),
    "biases left": ([("for n in range(4)", "for n in (0, 2)")], {STEPS: "biases are not trained"}),
    "output bias left": ([("for n in range(4)", "for n in range(3)")], {STEPS: "b2"}),
    "first layer left": ([("for n in range(4)", "for n in (2, 3)")], {STEPS: "W1 and b1"}),
    "uphill": (
        [("lr, mu, wd)\n        losses", "-lr, mu, wd)\n        losses")],
        {STEPS: "uphill"},
    ),
    "sum over the batch": (
        [("gradients[n], averages", "len(batch) * gradients[n], averages")],
        {STEPS: "sum over the batch"},
    ),
    "always divided by 32": (
        [("gradients[n], averages", "len(batch) / 32 * gradients[n], averages")],
        {STEPS: "fewer samples"},
    ),
    "average and gradient exchanged": (
        [("gradients[n], averages[n], lr", "averages[n], gradients[n], lr")],
        {STEPS: "exchanged"},
    ),
    "step with the old average": (
        [
            (
                (
                    "parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], "
                    "averages[n], lr, mu, wd)"
                ),
                (
                    "parameters[n] = parameters[n] - lr * (averages[n] + wd * parameters[n])\n"
                    "                averages[n] = mu * averages[n] + (1 - mu) * gradients[n]"
                ),
            ),
        ],
        {STEPS: "before this batch"},
    ),
    "parameters not kept": (
        [("parameters[n], averages[n] = momentum_step", "_, averages[n] = momentum_step")],
        {STEPS: "before the first step", ORDER: "No parameter moves"},
    ),
    "one epoch": (
        [
            ("range(epochs)", "range(1)"),
            ("losses.append(total / N)", "losses += [total / N] * epochs"),
        ],
        {STEPS: "one epoch", LOSSES: ""},
    ),
    "rate shrinks": (
        [("lr, mu, wd)\n        losses", "lr / (1 + epoch), mu, wd)\n        losses")],
        {STEPS: "shrinks"},
    ),
    "best parameters returned": (
        [
            (
                "        losses.append",
                (
                    "        best = parameters[:] if not losses or total / N < min(losses) else best\n"
                    "        losses.append"
                ),
            ),
            (
                "    N, losses = len(labels), []\n",
                "    N, losses, best = len(labels), [], [w for w in parameters]\n",
            ),
            ("tuple(parameters), losses", "tuple(best), losses"),
            (SHUFFLED, "        old = parameters[:]\n" + SHUFFLED),
            ("best = parameters[:] if", "best = old if"),
        ],
        {STEPS: "", ORDER: ""},
    ),
    "parameters of the best epoch": (
        [
            ("    return tuple(parameters)", "    return tuple(best)"),
            (
                "        losses.append(total / N)",
                (
                    "        losses.append(total / N)\n"
                    "        best = list(parameters) if losses[-1] == min(losses) else best"
                ),
            ),
        ],
        {STEPS: "smallest loss"},
    ),
    "sum of losses": (
        [("losses.append(total / N)", "losses.append(total)")],
        {LOSSES: "sum over the samples"},
    ),
    "sum of batch means": (
        [("total += loss * len(batch)", "total += loss"), ("total / N", "total")],
        {LOSSES: "sum of the means"},
    ),
    "mean of batch means": (
        [("total += loss * len(batch)", "total += loss / -(-N // 32)"), ("total / N", "total")],
        {LOSSES: "mean of the means"},
    ),
    "sum not begun anew": (
        [
            ("        total = 0.0\n", ""),
            ("    N, losses = len(labels), []\n", "    N, losses, total = len(labels), [], 0.0\n"),
        ],
        {LOSSES: "over all epochs"},
    ),
    "last batch's loss": (
        [("losses.append(total / N)", "losses.append(loss)")],
        {LOSSES: "last batch alone"},
    ),
    "divided by 32 each": ([("total += loss * len(batch)", "total += loss * 32")], {LOSSES: ""}),
    "loss with weight decay": (
        [("total / N", "total / N + wd / 2 * sum(np.sum(w**2) for w in parameters)")],
        {LOSSES: "weight decay"},
    ),
    "loss of the start": (
        [("losses.append(total / N)", "losses.append(losses[0] if losses else total / N)")],
        {LOSSES: "epoch"},
    ),
    "loss from before the epoch": (
        [
            (
                "        total = 0.0\n",
                (
                    "        total = 0.0\n"
                    "        losses.append(loss_and_gradients(parameters, images, labels)[0])\n"
                ),
            ),
            ("        losses.append(total / N)\n", ""),
        ],
        {LOSSES: "from before the epoch"},
    ),
    "a loss every batch": (
        [
            ("            total += loss * len(batch)\n", "            losses.append(loss)\n"),
            ("        losses.append(total / N)\n", ""),
        ],
        {LOSSES: "number of losses"},
    ),
    "both weights first": (
        [("tuple(parameters)", "(parameters[0], parameters[2], parameters[1], parameters[3])")],
        {},  # train_check only
    ),
    "W1 transposed": (
        [("tuple(parameters)", "(parameters[0].T, *parameters[1:])")],
        dict.fromkeys(EVERY, "shape of W1"),
    ),
    "no return": ([(RETURN, "")], dict.fromkeys(EVERY, "")),
    "losses alone": ([(RETURN, "    return losses\n")], dict.fromkeys(EVERY, "")),
    "not written": (
        [
            (
                PLAIN,
                (
                    "\n"
                    "def train(images, labels, hidden, epochs, lr, mu, wd, rng):\n"
                    "    raise NotImplementedError\n"
                ),
            ),
        ],
        dict.fromkeys(EVERY, "not written"),
    ),
}


def changed(changes: list[tuple[str, str]]) -> str:
    """Return the plain training with changes; each old text must be there."""
    source = PLAIN
    for old, new in changes:
        assert source.count(old) >= 1, old
        source = source.replace(old, new)
    return source
