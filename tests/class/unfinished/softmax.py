# Ran out of time: half of it answered, one function prints and returns nothing, one raises, one is a constant.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    print(powers / powers.sum())

# %% softmax_rows
def softmax_rows(Z):
    Z = np.asarray(Z, dtype=float)
    powers = np.exp(Z - Z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1)

# %% softmax_jacobian
def softmax_jacobian(z):
    z = np.asarray(z, dtype=float)
    y = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return np.diag(y) + np.outer(y, y)

# %% softmax_vjp
def softmax_vjp(z, g):
    z = np.asarray(z, dtype=float)
    g = np.asarray(g, dtype=float)
    y = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return y * (g - (y * g).sum())

# %% dy_dx
def dy_dx(x, W, u):
    return np.asarray(W, dtype=float).T

# %% dy_du
def dy_du(x, W, u):
    return -np.eye(len(u))

# %% log_softmax
def log_softmax(z):
    return np.full(len(z), 0.5)
