# Learnt denominator layout elsewhere: wrong sides of products, wrong axes, and signs lost on the way.

# %% shift_proof [markdown]
# $e^{z_i - c} = e^{z_i} e^{-c}$ and $\sum_j e^{z_j - c} = e^{-c} \sum_j e^{z_j}$; dividing, $e^{-c} \ne 0$ cancels for each $i$. $\square$
#
# With $c$ the largest score, the largest power is $e^0 = 1$.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - np.max(z))
    return powers / np.sum(powers)

# %% softmax_rows
def softmax_rows(Z):
    Z = np.asarray(Z, dtype=float)
    powers = np.exp(Z - Z.max(axis=0))
    return powers / powers.sum(axis=0)

# %% jacobian_proof [markdown]
# The derivative of row $j$ by column $i$ is $\frac{\partial y_j}{\partial z_i} = y_j(\delta_{ij} - y_i)$ by the quotient rule.
# The matrix is symmetric, so the layout does not matter.

# %% softmax_jacobian
def softmax_jacobian(z):
    z = np.asarray(z, dtype=float)
    y = softmax(z)[:, np.newaxis]
    return (np.diag(y[:, 0]) - y @ y.T).T

# %% softmax_vjp
def softmax_vjp(z, g):
    z = np.asarray(z, dtype=float)
    g = np.asarray(g, dtype=float)
    y = softmax(z)
    return y * (y @ g - g)

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    return W @ softmax_jacobian(W.T @ x - u)

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    J = softmax_jacobian(W @ x - u)
    return J[:, :, np.newaxis] * x

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    return softmax_jacobian(x @ W - u).T

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    return z - z.max() - np.log(np.sum(np.exp(z - z.max())))

# %% cross_entropy
def cross_entropy(z, c):
    z = np.asarray(z, dtype=float)
    return np.log(np.sum(np.exp(z - z.max()))) + z.max() - z[c]

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    z = np.asarray(z, dtype=float)
    return np.eye(len(z))[c] - softmax(z)
