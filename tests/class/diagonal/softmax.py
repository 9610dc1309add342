# Thinks entry by entry: drops what one entry does to another, writes * for @, forgets or misplaces sums.

# %% shift_proof [markdown]
# Every entry is multiplied by the same number $e^{-c}$, so nothing changes.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    return powers / powers.sum()

# %% softmax_rows
def softmax_rows(Z):
    Z = np.asarray(Z, dtype=float)
    powers = np.exp(Z - Z.max())
    return powers / powers.sum()

# %% jacobian_proof [markdown]
# $\frac{\partial y_i}{\partial z_i} = y_i (1 - y_i)$, as for the logistic function. The other entries are zero because
# $y_i$ belongs to $z_i$.

# %% softmax_jacobian
def softmax_jacobian(z):
    y = softmax(z)
    return np.diag(y * (1 - y))

# %% softmax_vjp
def softmax_vjp(z, g):
    y = softmax(z)
    return y * (1 - y) * np.asarray(g, dtype=float)

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    mean = (W * y).sum(axis=1)
    return y[:, np.newaxis] * (W.T - mean)

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    result = np.zeros((len(y), len(y), len(x)))
    for i in range(len(y)):
        result[i, i] = y[i] * (1 - y[i]) * x
    return result

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    return y * y[:, np.newaxis] - y * np.eye(len(y))

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    largest = z.max()
    return z - largest - np.log(np.exp(z - largest).sum())

# %% cross_entropy
def cross_entropy(z, c):
    return (-log_softmax(z)).sum()

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    gradient = np.zeros(len(z))
    gradient[c] = softmax(z)[c] - 1
    return gradient
