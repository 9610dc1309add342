# Writes everything by einsum and broadcasting, and is fond of one line; slips are swapped or missing subscripts.

# %% shift_proof [markdown]
# For each $i$: $\frac{e^{z_i - c}}{\sum_j e^{z_j - c}} = \frac{e^{-c} e^{z_i}}{e^{-c} \sum_j e^{z_j}}$, and $e^{-c} > 0$ cancels.
# With $c = \max_j z_j$ all exponents are $\le 0$ and one is 0, so the sum is at least 1 and no power exceeds 1.

# %% softmax
def softmax(z):
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max())
    return powers / np.einsum("i->", powers)

# %% softmax_rows
def softmax_rows(Z):
    Z = np.asarray(Z, dtype=float)
    powers = np.exp(Z - Z.max())
    return np.einsum("nk,n->nk", powers, 1 / np.einsum("nk->n", powers))

# %% jacobian_proof [markdown]
# With $S = \sum_l e^{z_l}$ and $\partial e^{z_i}/\partial z_j = \delta_{ij} e^{z_i}$, the quotient rule gives
#
# $$\frac{\delta_{ij} e^{z_i} S - e^{z_i} e^{z_j}}{S^2} = y_i \delta_{ij} - y_i y_j .$$
#
# That covers both cases at once; as a matrix it is $\mathrm{diag}(y) - y y^\top$.

# %% softmax_jacobian
def softmax_jacobian(z):
    y = softmax(z)
    return np.einsum("i,ij->ij", y, np.eye(len(y))) - np.einsum("i,i->", y, y)

# %% softmax_vjp
def softmax_vjp(z, g):
    y = softmax(z)
    g = np.asarray(g, dtype=float)
    return np.einsum("ij,i->j", np.diag(y) - np.einsum("i,j->ij", y, y), g)

# %% dy_dx
def dy_dx(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(np.einsum("mk,m->k", W, x) - u)
    J = np.diag(y) - np.einsum("i,j->ij", y, y)
    return np.einsum("ij,jm->im", J, W)

# %% dy_dw
def dy_dw(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(np.einsum("mk,m->k", W, x) - u)
    J = np.diag(y) - np.einsum("i,j->ij", y, y)
    return np.einsum("ij,m->imj", J, x)

# %% dy_du
def dy_du(x, W, u):
    x, W, u = np.asarray(x, dtype=float), np.asarray(W, dtype=float), np.asarray(u, dtype=float)
    y = softmax(np.einsum("mk,m->k", W, x) - u)
    return np.einsum("i,j->ij", y, y) - np.einsum("i,ij->ij", y, np.eye(len(y)))

# %% log_softmax
def log_softmax(z):
    z = np.asarray(z, dtype=float)
    return np.log(softmax(z))

# %% cross_entropy
def cross_entropy(z, c):
    z = np.asarray(z, dtype=float)
    differences = z - z[c]
    return np.einsum("->", np.logaddexp.reduce(differences))

# %% cross_entropy_gradient
def cross_entropy_gradient(z, c):
    z = np.asarray(z, dtype=float)
    return softmax(z) - np.einsum("i->i", np.eye(len(z))[c])
