# Thinks entry by entry: drops cross terms, forgets sums, keeps only what belongs to one entry.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    return np.stack([(W * x).sum(axis=1) + b for x in X.T], axis=1)

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    g, x = dL_dY[:, 0], X[:, 0]
    return W.T @ dL_dY, g[:, None] * x, g

# %% batch_proof [markdown]
# $\partial y_l / \partial W_{ij} = x_j$ for $l = i$, so $\partial L/\partial W_{ij} = g_i x_j$. $\partial L/\partial b_i = g_i$. $\partial L/\partial x_i = \sum_l g_l W_{li}$.
# For a batch the same formulas hold for every sample.

# %% relu_forward
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    return X * (X > 0)

# %% relu_backward
def relu_backward(dL_dY, X):
    return np.asarray(dL_dY, dtype=float) * (np.asarray(X, dtype=float) > 0)

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X = np.asarray(X, dtype=float)
    top = X.max(axis=0)
    log_p = X - top - np.log(np.exp(X - top).sum(axis=0))
    return -np.mean(np.sum(log_p, axis=0))

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    p = np.exp(X - X.max(axis=0))
    p = p / p.sum(axis=0)
    result = np.zeros(X.shape)
    right = labels, np.arange(labels.size)
    result[right] = (p[right] - 1) / labels.size
    return result

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
    steps = h * np.eye(x.size).reshape(-1, *x.shape)
    q = np.array([(f(x + e) - f(x - e)) / (2 * h) for e in steps]).reshape(x.shape)
    return np.max(np.abs(df - q) / np.maximum(np.maximum(np.abs(df), np.abs(q)), 1e-8))

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = np.asarray(w, dtype=float), np.asarray(g, dtype=float), np.asarray(m, dtype=float)
    new = m * mu + g * (1 - mu)
    return w - new * lr - w * lr * wd, new

# %% count_parameters
def count_parameters(sizes):
    sizes = np.asarray(sizes, dtype=int)
    return np.sum(sizes[:-1] * sizes[1:])

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    images, labels = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    w = [rng.normal(size=(hidden, 64)) / 6, np.zeros((hidden, 1)), rng.normal(size=(10, hidden)) / 5, np.zeros((10, 1))]
    m, losses, one_hot = [0, 0, 0, 0], [], np.eye(10)[:, labels]
    for _ in range(epochs):
        z = w[0] @ images + w[1]
        h = np.maximum(z, 0)
        s = w[2] @ h + w[3]
        p = np.exp(s - s.max(axis=0))
        p /= p.sum(axis=0)
        losses.append(-np.mean(np.log(np.sum(p * one_hot, axis=0))))
        e = (p - one_hot) / labels.size
        d = w[2].T @ e * (z > 0)
        g = [d @ images.T, d.sum(axis=1, keepdims=True), e @ h.T, e.sum(axis=1, keepdims=True)]
        for n in range(4):
            w[n], m[n] = momentum_step(w[n], g[n], m[n], lr, mu, wd)
    return (w[0], w[1].ravel(), w[2], w[3].ravel()), losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    true, predicted = np.asarray(true, dtype=int), np.asarray(predicted, dtype=int)
    return np.diag([np.sum((true == c) & (predicted == c)) for c in range(k)])

# %% precision_recall
def precision_recall(C):
    C = np.asarray(C, dtype=float)
    return np.diag(C) / np.maximum(C.sum(axis=0), 1), np.diag(C) / np.maximum(C.sum(axis=1), 1)

# %% reading_the_network [markdown]
# Every unit has 64 weights, one a pixel. My confusion matrix has entries on the diagonal only, so nothing is confused. Still there are
# many misread digits in the last figure, mostly 8 and 9.
