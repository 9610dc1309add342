# Formulas as the textbook has them, with no care for overflow or for a division by zero; right where that does not matter.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    return np.dot(W, X) + np.outer(b, np.ones(X.shape[1]))

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    G, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    return np.dot(W.T, G), np.dot(G, X.T), np.dot(G, np.ones(G.shape[1]))

# %% batch_proof [markdown]
# Chain rule for one sample: $\partial L/\partial x = W^\top g$, $\partial L/\partial W = g x^\top$, $\partial L/\partial b = g$, since $\partial y_l/\partial x_i = W_{li}$,
# $\partial y_l/\partial W_{ij} = \delta_{li} x_j$, $\partial y_l/\partial b_i = \delta_{li}$. $L$ depends on all columns of $Y$, so one more sum over $s$ appears. For $x^{(s)}$ only its own
# column is left; for $W$ and $b$ all are: $\sum_s g^{(s)} x^{(s)\top} = G X^\top$ and $\sum_s g^{(s)} = G \mathbf 1$. Side by side, the first gives $W^\top G$.

# %% relu_forward
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    return (np.sqrt(X * X) + X) / 2

# %% relu_backward
def relu_backward(dL_dY, X):
    dL_dY, X = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float)
    return dL_dY * (X >= 0)

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    p = np.exp(X) / np.sum(np.exp(X), axis=0)
    return -np.mean(np.log(p[labels, np.arange(labels.size)]))

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    p = np.exp(X) / np.sum(np.exp(X), axis=0)
    return (p - np.eye(len(X))[:, labels]) / labels.size

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
    q = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[index] = h
        q[index] = (f(x + step) - f(x - step)) / (2 * h)
    return np.max(np.abs(df - q) / np.abs(q))

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = np.asarray(w, dtype=float), np.asarray(g, dtype=float), np.asarray(m, dtype=float)
    m = m + (1 - mu) * (g - m)
    return w - lr * (m + wd * w), m

# %% count_parameters
def count_parameters(sizes):
    sizes = np.asarray(sizes, dtype=float)
    return np.exp(np.log(sizes[1:]) + np.log(sizes[:-1] + 1)).sum()

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    images, labels = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    parameters = [rng.normal(0, np.sqrt(2 / 64), (hidden, 64)), np.zeros(hidden)]
    parameters += [rng.normal(0, np.sqrt(2 / hidden), (10, hidden)), np.zeros(10)]
    averages = [np.zeros(w.shape) for w in parameters]
    losses = []
    for _ in range(epochs):
        order, total = rng.permutation(labels.size), 0.0
        for start in range(0, labels.size, 32):
            batch = order[start : start + 32]
            loss, gradients = loss_and_gradients(parameters, images[:, batch], labels[batch])
            total += loss
            for n in range(4):
                parameters[n], averages[n] = momentum_step(parameters[n], gradients[n], averages[n], lr, mu, wd)
        losses.append(total)
    return parameters, losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    C = np.zeros((k, k))
    for i in range(k):
        for j in range(k):
            C[i, j] = np.sum((np.asarray(true) == i) & (np.asarray(predicted) == j))
    return C

# %% precision_recall
def precision_recall(C):
    C = np.asarray(C, dtype=float)
    return np.diag(C) / np.sum(C, axis=0), np.diag(C) / np.sum(C, axis=1)

# %% reading_the_network [markdown]
# Unit 6 has strong positive weights left of the centre and strong negative ones at the upper right: it fires for a 5, whose upper right is empty. Units
# 3, 7, 10, 14 and 15 stay blank since their ReLU is off for every digit, so that only weight decay moves them. Class 1 has recall 0.90 and precision 1.00, the
# column of 8 collects most errors. The 1 with the flag (read as 9, 74 %) I read at once; the 9 read as 5 (47 %) I do not.
