"""Right answers to the softmax notebook, written otherwise: each keeps every point."""

# %% softmax
# log-sum-exp, by NumPy's own pairwise sum of exponentials
def softmax(z):
    z = np.asarray(z, dtype=float)
    return np.exp(z - np.logaddexp.reduce(z))

# %% softmax
# the textbook's formula, which warns of overflow, and the stable one where it failed
def softmax(z):
    z = np.asarray(z, dtype=float)
    naive = np.exp(z) / np.sum(np.exp(z))
    powers = np.exp(z - np.max(z))
    return np.where(np.all(np.isfinite(naive)), naive, powers / np.sum(powers))

# %% softmax
# a plain list
def softmax(z):
    shift = max(z)
    powers = [np.exp(float(score) - float(shift)) for score in z]
    total = sum(powers)
    return [power / total for power in powers]

# %% softmax_rows
# explicit loops, returned as lists of lists
def softmax_rows(Z):
    rows = []
    for row in np.asarray(Z, dtype=float):
        shift = max(row)
        powers = [np.exp(score - shift) for score in row]
        rows.append([power / sum(powers) for power in powers])
    return rows

# %% softmax_rows
# samples turned into columns and back
def softmax_rows(Z):
    columns = np.asarray(Z, dtype=float).T
    powers = np.exp(columns - columns.max(axis=0))
    return (powers / powers.sum(axis=0)).T

# %% softmax_jacobian
# einsum, with a delta
def softmax_jacobian(z):
    y = softmax(z)
    return np.einsum("i,ij->ij", y, np.eye(len(y), dtype=int)) - np.einsum("i,j->ij", y, y)

# %% softmax_jacobian
# explicit loops over the two cases
def softmax_jacobian(z):
    y = np.asarray(softmax(z))
    J = np.zeros((y.size, y.size))
    for i in range(y.size):
        for j in range(y.size):
            J[i, j] = y[i] * (1 - y[i]) if i == j else -y[i] * y[j]
    return J

# %% softmax_vjp
# a column, (k, 1) for (k,)
def softmax_vjp(z, g):
    y = np.reshape(softmax(z), (-1, 1))
    g = np.asarray(g, dtype=float).reshape(-1, 1)
    return y * g - y @ (y.T @ g)

# %% softmax_vjp
# float32, with the sum divided out at the end
def softmax_vjp(z, g):
    z, g = np.asarray(z, dtype=float), np.asarray(g, dtype=float)
    powers = np.exp(z - np.max(z))
    total = np.sum(powers)
    return (powers / total * (g - np.vdot(powers, g) / total)).astype(np.float32)

# %% dy_dx
# einsum with the sum over the scores in it
def dy_dx(x, W, u):
    x, W, u = (np.asarray(a, dtype=float) for a in (x, W, u))
    return np.einsum("ij,mj->im", softmax_jacobian(np.einsum("mj,m->j", W, x) - u), W)

# %% dy_dx
# each row: y_i times w_i less the mean of all columns of W
def dy_dx(x, W, u):
    W = np.asarray(W, dtype=float)
    y = np.asarray(softmax(np.dot(x, W) - np.asarray(u)))
    return y[:, np.newaxis] * (W - (W @ y)[:, np.newaxis]).T

# %% dy_dw
# np.add.at, starting from the term without the delta
def dy_dw(x, W, u):
    x, W, u = (np.asarray(a, dtype=float) for a in (x, W, u))
    y = np.asarray(softmax(W.T @ x - u))
    result = -np.multiply.outer(np.outer(y, y), x)
    classes = np.arange(y.size)
    np.add.at(result, (classes, classes), np.outer(y, x))
    return result

# %% dy_dw
# a Kronecker product, cut into its blocks
def dy_dw(x, W, u):
    x, W, u = (np.asarray(a, dtype=float) for a in (x, W, u))
    J = np.asarray(softmax_jacobian(W.T @ x - u))
    return np.kron(J, x).reshape(len(J), len(J), len(x))

# %% dy_du
# the matrix -I written out
def dy_du(x, W, u):
    z = np.dot(np.transpose(W), x) - np.asarray(u)
    return softmax_jacobian(z) @ -np.identity(len(z))

# %% log_softmax
# log-sum-exp; the answer as a column, (k, 1) for (k,)
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    return (z - np.logaddexp.reduce(z))[:, np.newaxis]

# %% log_softmax
# the sum without its largest term, by log1p, in float32
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    shifted = z - np.max(z)
    rest = np.delete(shifted, np.argmax(shifted))
    return (shifted - np.log1p(np.exp(rest).sum())).astype(np.float32)

# %% cross_entropy
# a product with the one-hot vector of integers, as an array of one number
def cross_entropy(z, c):
    onehot = (np.arange(len(z)) == c).astype(int)
    return np.array([-np.ravel(log_softmax(z)) @ onehot])

# %% cross_entropy
# the right score subtracted from all, with the sum of the others in plain Python
def cross_entropy(z, c):
    margins = [float(score) - float(z[c]) for score in z]
    top = max(margins)
    return top + float(np.log(sum(np.exp(margin - top) for margin in margins)))

# %% cross_entropy_gradient
# np.subtract.at
def cross_entropy_gradient(z, c):
    gradient = np.array(softmax(z), dtype=float)
    np.subtract.at(gradient, c, 1)
    return gradient

# %% cross_entropy_gradient
# the two cases in a list
def cross_entropy_gradient(z, c):
    y = list(softmax(z))
    return [y[j] - 1 if j == c else y[j] for j in range(len(y))]
