# Returns float32, and columns (k, 1) for vectors; slips are clipping, rounding and small constants for safety.

# %% shift_proof [markdown]
# $$\frac{e^{z_i - c}}{\sum_j e^{z_j - c}} = \frac{e^{z_i} e^{-c}}{\left(\sum_j e^{z_j}\right) e^{-c}} = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# because $e^{-c}$ is never zero. A good $c$ is the mean of the scores, since then they are small.

# %% softmax
def softmax(z):
    z = np.clip(np.asarray(z, dtype=np.float32), -50, 50)
    powers = np.exp(z)
    return powers / powers.sum()

# %% softmax_rows
def softmax_rows(Z):
    Z = np.clip(np.asarray(Z, dtype=np.float32), -50, 50)
    powers = np.exp(Z)
    return powers / powers.sum(axis=1, keepdims=True)

# %% jacobian_proof [markdown]
# $\log y_i = z_i - \log S$, so $\frac{1}{y_i} \frac{\partial y_i}{\partial z_j} = \delta_{ij} - \frac{e^{z_j}}{S} = \delta_{ij} - y_j$.
# Multiply by $y_i$: for $i = j$ it is $y_i(1 - y_i)$, for $i \neq j$ it is $-y_i y_j$; together
# $\mathrm{diag}(y) - y y^\top$. Columns sum to $y_j - y_j = 0$ as $\sum_i y_i = 1$.

# %% softmax_jacobian
def softmax_jacobian(z):
    y = softmax(z)
    return np.round(np.diag(y) - np.outer(y, y), 3)

# %% softmax_vjp
def softmax_vjp(z, g):
    y = softmax(z).reshape(-1, 1)
    g = np.asarray(g, dtype=np.float32).reshape(-1, 1)
    return y * (g - np.sum(y * g))

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    return ((np.diag(y) - np.outer(y, y)) @ W.T).astype(np.float32)

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    return np.multiply.outer(np.diag(y) - np.outer(y, y), x).astype(np.float32)

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(W.T @ x - u)
    return np.outer(y, y) - np.diag(y)

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    return np.log(powers / powers.sum() + 1e-12).astype(np.float32).reshape(-1, 1)

# %% cross_entropy
def cross_entropy(z, c):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    return np.float32(-np.log(powers[c] / powers.sum() + 1e-12))

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    gradient = (powers / powers.sum()).astype(np.float32)
    gradient[c] -= 1
    return gradient.reshape(-1, 1)
