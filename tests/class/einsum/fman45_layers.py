# Everything by einsum, outer products and broadcasting; where it goes wrong, subscripts or axes are exchanged.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    return np.einsum("ij,js->is", W, X) + np.einsum("i,s->is", b, np.ones(np.shape(X)[1]))

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    return (
        np.einsum("is,ij->js", dL_dY, W),
        np.einsum("is,js->ji", dL_dY, X),
        np.einsum("is->i", dL_dY),
    )

# %% batch_proof [markdown]
# In Einstein's notation $Y_{ls} = W_{lj} X_{js} + b_l 1_s$. With $G_{ls} = \partial L/\partial Y_{ls}$,
# $\partial L/\partial X_{jt} = G_{ls} W_{lj} \delta_{st} = W_{lj} G_{lt}$, $\partial L/\partial W_{ij} = G_{is} X_{js}$ and
# $\partial L/\partial b_i = G_{is} 1_s$. By block: one column gives $W^\top g^{(s)}$, $g^{(s)} x^{(s)\top}$, $g^{(s)}$; the last two
# are added over $s$ because all columns share $W$ and $b$.

# %% relu_proof [markdown]
# $\partial y_l/\partial x_i = \delta_{li}\,\theta(x_i)$ with the step function $\theta$, hence $\partial L/\partial x_i = \sum_l g_l\,\delta_{li}\,\theta(x_i) = g_i\,\theta(x_i)$.
# At 0 left and right slope differ; I take 1/2.

# %% softmaxloss_proof [markdown]
# $L = -x_c + \log\sum_j e^{x_j}$, so $\partial L/\partial x_i = -\delta_{ic} + e^{x_i}/\sum_j e^{x_j} = p_i - \delta_{ic}$. For a batch each column gives its own, times $1/N$. The sum
# over $i$ is $1 - 1 = 0$.

# %% relu_forward
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    return np.einsum("is,is->is", X, (X > 0).astype(float))

# %% relu_backward
def relu_backward(dL_dY, X):
    slope = np.heaviside(np.asarray(X, dtype=float), 0.5)
    return np.einsum("is,is->is", dL_dY, slope)

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels, dtype=int)
    one_hot = np.eye(X.shape[0])[labels]
    log_sum = np.logaddexp.reduce(X, axis=1)
    return (np.einsum("si,i->", one_hot, log_sum) - np.einsum("si,is->", one_hot, X)) / labels.size

# %% softmaxloss_backward
def softmaxloss_backward(X, labels):
    X = np.asarray(X, dtype=float)
    P = np.exp(X - X.max(axis=0))
    P = np.einsum("is,s->is", P, 1 / np.einsum("is->s", P))
    one_hot = np.eye(X.shape[0])[np.asarray(labels, dtype=int)]
    return (P - np.einsum("si->is", one_hot)) / X.shape[1]

# %% gradient_check
def gradient_check(f, x, df, h):
    x, df = np.asarray(x, dtype=float), np.asarray(df, dtype=float)
    q = (f(x + h) - f(x - h)) / (2 * h)
    return np.max(np.abs(df - q) / np.maximum(np.maximum(np.abs(df), np.abs(q)), 1e-8))

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    m = np.einsum("k,k...->...", [mu, 1 - mu], np.array([m, g], dtype=float))
    w = np.einsum("k,k...->...", [1 - lr * wd, -lr], np.array([w, m], dtype=float))
    return w, m

# %% count_parameters
def count_parameters(sizes):
    sizes = np.asarray(sizes, dtype=int)
    return np.einsum("l,l->", sizes[:-1] + 1, sizes[1:])

# %% train
def train(images, labels, hidden, epochs, lr, mu, wd, rng):
    images, labels = np.asarray(images, dtype=float), np.asarray(labels, dtype=int)
    rng = np.random.default_rng(rng)
    w = [rng.normal(size=(hidden, 64)) / np.sqrt(32), np.zeros(hidden), rng.normal(size=(10, hidden)) / np.sqrt(hidden / 2), np.zeros(10)]
    m, losses = [np.zeros_like(a) for a in w], []
    for _ in range(epochs):
        loss = 0.0
        order = rng.permutation(labels.size)
        for start in range(0, labels.size, 32):
            x, one_hot = images[:, order[start : start + 32]], np.eye(10)[:, labels[order[start : start + 32]]]
            z = np.einsum("ij,js->is", w[0], x) + w[1][:, None]
            r = np.maximum(z, 0)
            s = np.einsum("ij,js->is", w[2], r) + w[3][:, None]
            log_p = s - np.logaddexp.reduce(s, axis=0)
            loss -= np.einsum("is,is->", one_hot, log_p)
            e = (np.exp(log_p) - one_hot) / x.shape[1]
            d = np.einsum("ij,is->js", w[2], e) * (z > 0)
            g = [np.einsum("is,js->ij", d, x), d.sum(axis=1), np.einsum("is,js->ij", e, r), e.sum(axis=1)]
            w, m = zip(*(momentum_step(a, b, c, lr, mu, wd) for a, b, c in zip(w, g, m)))
        losses.append(loss / labels.size)
    return w, losses

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    classes = np.arange(k)
    was = (np.asarray(true)[:, None] == classes).astype(int)
    became = (np.asarray(predicted)[:, None] == classes).astype(int)
    return np.einsum("ni,nj->ji", was, became)

# %% precision_recall
def precision_recall(C):
    C = np.asarray(C, dtype=float)
    hits = np.einsum("ii->i", C)
    return hits / np.maximum(np.einsum("ij->j", C), 1), hits / np.maximum(np.einsum("ij->i", C), 1)

# %% reading_the_network [markdown]
# Row $i$ of the matrix is the true class, the diagonal is what went right; 1 and 8, 1 and 9, 9 and 8 are mixed up most. A row of $W_1$ is a
# template: the scalar product with a digit is large where purple meets ink. Blank rows belong to units whose ReLU is never positive, so they
# get no gradient and only decay. Of the misread digits I would get the open 1 right, but not the 4 with a closed top, read as 7 with 61 %.

# %% own_idea [markdown]
# I tried 16, 32, 64 and 128 hidden units on 1000 training digits, and validated on the other 347, three seeds each: 15, 11, 8 and 8 errors on average, with a
# spread of 2. So 64 is enough. A weight decay ten times larger failed: 20 errors. With 64 units 14 of the 450 held-out digits are misread, 12 with 32:
# the gain is within chance.
