# Saves memory by writing into its arguments in some functions, and loses those; right elsewhere.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    Y = W @ X
    Y += b[:, np.newaxis]
    return Y

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    return W.T.dot(dL_dY), dL_dY.dot(X.T), dL_dY.dot(np.ones(X.shape[1]))

# %% batch_proof [markdown]
# $\partial L/\partial X_{it} = \sum_{l}\sum_s G_{ls} W_{li}\delta_{st} = \sum_l W_{li} G_{lt}$; $\partial L/\partial W_{ij} = \sum_{l,s} G_{ls}\delta_{li} X_{js} = \sum_s G_{is} X_{js}$;
# $\partial L/\partial b_i = \sum_{l,s} G_{ls}\delta_{li} = \sum_s G_{is}$. In matrices $W^\top G$, $G X^\top$, $G\mathbf 1$.
# I did not find time for the proof by block.

# %% relu_proof [markdown]
# The Jacobian has 1 on the diagonal where $x_i > 0$ and 0 everywhere else. Times the upstream gradient: $g_i$ or 0.

# %% relu_forward
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    X[X < 0] = 0
    return X

# %% relu_backward
def relu_backward(dL_dY, X):
    dL_dY, X = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float)
    dL_dY[X <= 0] = 0
    return dL_dY

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    X -= X.max(axis=0)
    return np.mean(np.log(np.exp(X).sum(axis=0)) - X[labels, np.arange(labels.size)])

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X, labels = np.array(X, dtype=float), np.asarray(labels, dtype=int)
    X -= X.max(axis=0)
    np.exp(X, out=X)
    X /= X.sum(axis=0)
    X[labels, np.arange(labels.size)] -= 1
    X /= labels.size
    return X

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.array(x, dtype=float), np.asarray(df, dtype=float)
    errors = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        q = f(x)
        x[index] = kept - h
        q = (q - f(x)) / (2 * h)
        x[index] = kept
        errors[index] = abs(df[index] - q) / max(abs(df[index]), abs(q), 1e-8)
    return errors.max()

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    w, g, m = np.asarray(w, dtype=float), np.asarray(g, dtype=float), np.asarray(m, dtype=float)
    m *= mu
    m += (1 - mu) * g
    w -= lr * (m + wd * w)
    return w, m

# %% count_parameters
def count_parameters(sizes):
    total = 0
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        total += inputs * outputs
        total += outputs
    return total

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    images, labels = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    w = [rng.normal(size=(hidden, 64)) * np.sqrt(2 / 64), np.zeros(hidden)]
    w += [rng.normal(size=(10, hidden)) * np.sqrt(2 / hidden), np.zeros(10)]
    m = [np.zeros_like(a) for a in w]
    losses = []
    for _ in range(epochs):
        order = rng.permutation(labels.size)
        images[:] = images[:, order]
        labels[:] = labels[order]
        total = 0.0
        for start in range(0, labels.size, 32):
            x, c = images[:, start : start + 32], labels[start : start + 32]
            loss, gradients = loss_and_gradients(w, x, c)
            total += loss * c.size
            for n in range(4):
                w[n], m[n] = momentum_step(w[n], gradients[n], m[n], lr, mu, wd)
        losses.append(total / labels.size)
    return w, losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    C = np.zeros((k, k))
    for i, j in zip(true, predicted):
        C[i, j] += 1
    return C

# %% precision_recall
def precision_recall(C):
    C = np.array(C, dtype=float)
    hits = np.diag(C).copy()
    called, there = C.sum(axis=0), C.sum(axis=1)
    called[called == 0] = 1
    there[there == 0] = 1
    return hits / called, hits / there

# %% reading_the_network [markdown]
# A unit adds up the ink under its purple pixels and subtracts that under the orange ones. About ten units do nothing. The matrix shows 12 errors, six
# of them in the column of 8 and three in that of 9. The 1s that are misread have serifs or thick strokes, which look like loops at 8 × 8 pixels. I can
# read all of them but the 9 read as 5.
