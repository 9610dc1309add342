# Knows the textbook's formulas and types them in as they are; right wherever nothing overflows.

# %% shift_proof [markdown]
# $$\mathrm{softmax}(z - c \mathbf 1)_i = \frac{e^{z_i} e^{-c}}{\sum_j e^{z_j} e^{-c}} = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# for all $i$ and any $c$, as $e^{-c} \neq 0$ factors out of the sum. So one can simply take $c = 0$.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    return np.exp(z) / np.exp(z).sum()

# %% softmax_rows
def softmax_rows(Z):
    Z = np.asarray(Z, dtype=float)
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)

# %% jacobian_proof [markdown]
# Let $S = \sum_l e^{z_l}$, so $\partial S / \partial z_j = e^{z_j}$.
#
# - $i = j$: $\frac{e^{z_i} S - e^{z_i} e^{z_i}}{S^2} = y_i - y_i^2$.
# - $i \ne j$: $\frac{0 \cdot S - e^{z_i} e^{z_j}}{S^2} = -y_i y_j$.
#
# Both: $y_i (\delta_{ij} - y_j)$, the matrix $\mathrm{diag}(y) - y y^\top$. Column sums: $y_j (1 - \sum_i y_i) = 0$.

# %% softmax_jacobian
def softmax_jacobian(z):
    z = np.asarray(z, dtype=float)
    powers, total = np.exp(z), np.exp(z).sum()
    return (np.diag(powers) * total - np.outer(powers, powers)) / total**2

# %% softmax_vjp
def softmax_vjp(z, g):
    z = np.asarray(z, dtype=float)
    g = np.asarray(g, dtype=float)
    powers = np.exp(z)
    return powers * g / powers.sum() - powers * (powers @ g) / powers.sum() ** 2

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    return softmax_jacobian(W.T @ x - u) @ W.T

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    return np.multiply.outer(softmax_jacobian(W.T @ x - u), x)

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    return -softmax_jacobian(W.T @ x - u)

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    return z - np.log(np.sum(np.exp(z)))

# %% cross_entropy
def cross_entropy(z, c):
    z = np.asarray(z, dtype=float)
    return np.log(np.sum(np.exp(z))) - z[c]

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    gradient = softmax(z)
    gradient[c] -= 1
    return gradient
