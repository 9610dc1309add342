# Thinks in rows and in denominator layout: products from the wrong side, results transposed or in the other order.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    return X @ W.T + b[:, None]

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    return dL_dY.T @ W, dL_dY @ X.T, dL_dY.sum(axis=1)

# %% batch_proof [markdown]
# With samples in rows $Y = X W^\top + \mathbf 1 b^\top$, and $dL = \operatorname{tr}(G^\top dY) = \operatorname{tr}(G^\top dX\, W^\top) + \operatorname{tr}(G^\top X\, dW^\top) + \dots$, so
# $\partial L/\partial X = G W$, $\partial L/\partial W = G^\top X$, $\partial L/\partial b = G^\top \mathbf 1$. For samples in columns everything is transposed.

# %% relu_forward
def relu_forward(X):
    return np.asarray(X, dtype=float).T.clip(min=0).T

# %% relu_backward
def relu_backward(dL_dY, X):
    dL_dY, X = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float)
    return dL_dY @ (X > 0)

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    rows = np.asarray(X, dtype=float).T
    rows = rows - rows.max(axis=1, keepdims=True)
    log_p = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return -np.mean([row[int(c)] for row, c in zip(log_p, labels)])

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    powers = np.exp(X.T - X.max(axis=0)[:, None])
    P = powers / powers.sum(axis=1, keepdims=True)
    P[np.arange(labels.size), labels] -= 1
    return P.T / labels.size

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
    worst = []
    for index in np.ndindex(x.T.shape):
        e = np.zeros(x.T.shape)
        e[index] = h
        q = (f(x + e.T) - f(x - e.T)) / (2 * h)
        worst.append(abs(df.T[index] - q) / max(abs(df.T[index]), abs(q), 1e-8))
    return max(worst)

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = np.asarray(w, dtype=float), np.asarray(g, dtype=float), np.asarray(m, dtype=float)
    m = mu * m + (1 - mu) * g
    return m, w - lr * (m + wd * w)

# %% count_parameters
def count_parameters(sizes):
    return sum(int(n) * (int(m) + 1) for m, n in zip(sizes, sizes[1:]))

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    X, t = np.asarray(images, dtype=float).T, np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    w = [rng.normal(size=(64, hidden)) / np.sqrt(32), np.zeros(hidden), rng.normal(size=(hidden, 10)) / np.sqrt(hidden / 2), np.zeros(10)]
    m, losses = [np.zeros_like(a) for a in w], []
    for _ in range(epochs):
        total, order = 0.0, rng.permutation(t.size)
        for start in range(0, t.size, 32):
            x, c = X[order[start : start + 32]], t[order[start : start + 32]]
            z = x @ w[0] + w[1]
            h = np.maximum(z, 0)
            s = h @ w[2] + w[3]
            p = np.exp(s - s.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            total -= np.log(p[np.arange(c.size), c]).sum()
            p[np.arange(c.size), c] -= 1
            p /= c.size
            d = p @ w[2].T * (z > 0)
            g = [x.T @ d, d.sum(axis=0), h.T @ p, p.sum(axis=0)]
            m = [mu * a + (1 - mu) * b for a, b in zip(m, g)]
            w = [a - lr * (b + wd * a) for a, b in zip(w, m)]
        losses.append(total / t.size)
    return tuple(w), losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    C = np.zeros((k, k), dtype=int)
    for pair in zip(predicted, true):
        C[pair[::-1]] += 1
    return C

# %% precision_recall
def precision_recall(C):
    C = np.asarray(C, dtype=float)
    hits = np.diag(C)
    return hits / np.maximum(C.sum(axis=1), 1), hits / np.maximum(C.sum(axis=0), 1)

# %% reading_the_network [markdown]
# My training works for itself, but its weights come out as (64, hidden), so the figure did not run and I cannot describe the units. From the errors
# of a friend's matrix: rows are what was predicted, columns what is true, and 8 is read too often.
